"""One card for the release that serves and the one that comes: by turns, with a gap that is measured; or told early.

It adds about a minute to a warm ``make e2e``.
"""

from __future__ import annotations

import secrets as random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml
from tests.cluster import canary, process
from tests.cluster.settings import Settings
from tests.cluster.worker import OTHER_CARD
from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.pages import labelled
from tests.e2e.serving import BASE, PORT, Pair, manifests, publish_pair, put_image, weights_server

from penstock.bundle.models import Image
from penstock.releases.acts import promote
from penstock.releases.baseline import baseline, published
from penstock.store.local import LocalStore
from penstock.targets.delivery import Delivery
from penstock.targets.pair import pair_of
from penstock.targets.pod_template import with_pair
from penstock.targets.targets_file import DeploymentSettings
from penstock.targets.waiting import NotServingError

MODEL, TARGET = "sonic-lite", "booth"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0")
RETRY_AFTER_S = "5"
EVERY_S = 0.05
SORRY = f"""
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.send_header("Retry-After", "{RETRY_AFTER_S}")
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("", {PORT}), Handler).serve_forever()
"""


@dataclass
class Booth:
    """Where it serves, on a node with one card."""

    facts: Facts
    namespace: str
    url: str
    store: LocalStore
    folder: Path
    pairs: dict[str, Pair]

    def publish(self, version: str, before: str | None) -> None:
        publish_pair(self.store, self.folder, self.pairs[version], before=before, target=TARGET)

    def promote(self, version: str) -> None:
        serving = Delivery(self.store, self.folder / "targets.yaml", self.folder / "secrets", by="ann")
        promote(self.store, MODEL, version, reason="e2e", by="ann", serving=serving)

    @property
    def current(self) -> str:
        found = baseline(self.store, MODEL)
        assert found is not None
        return found.version


class Asking:
    """One user who asks all the time. Use as a context manager."""

    def __init__(self, url: str) -> None:
        self._url, self._over = url, threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self.answers: list[tuple[float, int, str]] = []
        """When, the status (0: none came), and ``Retry-After``."""

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        with httpx.Client(trust_env=False, timeout=20) as user:
            while not self._over.wait(EVERY_S):
                at = time.monotonic()
                try:
                    answer = user.get(self._url)
                except httpx.HTTPError:
                    self.answers.append((at, 0, ""))
                else:
                    self.answers.append((at, answer.status_code, answer.headers.get("Retry-After", "")))


def on_one_card(deployment: Object) -> Object:
    """It needs the card, and so has one pod."""
    deployment["spec"]["replicas"] = 1
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    container["resources"] |= {"limits": {OTHER_CARD: "1"}}
    return deployment


def sorry(facts: Facts) -> list[Object]:
    """What answers while nothing serves: it needs no card."""
    labels = {"app": "sorry"}
    container = {"name": "sorry", "image": f"{facts.registry}/{BASE[0]}:{BASE[1]}", "command": ["python3", "-c", SORRY]}
    container |= {"readinessProbe": {"tcpSocket": {"port": PORT}}, "resources": {"requests": {"cpu": "10m"}}}
    spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "sorry"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": spec}},
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "sorry"},
        "spec": {"selector": labels, "ports": [{"port": PORT}]},
    }
    return [deployment, service]


@pytest.fixture(scope="module")
def booth(facts: Facts, session_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booth]:
    """1.0.0 serves, and has the card."""
    settings, namespace = Settings.from_environment(), f"booth-{session_id}"
    folder, host = tmp_path_factory.mktemp("booth"), facts.registry.partition(":")[0]
    facts.kubectl("create", "namespace", namespace)
    parts = canary.start(settings, namespace)
    files = {version: random.token_bytes(1000) for version in VERSIONS}
    images = {
        version: Image(kind="image", url=f"{facts.registry}/{namespace}", digest=put_image(facts, namespace, version))
        for version in VERSIONS
    }
    target = {"kind": "deployment", "models": [MODEL], "namespace": namespace, "name": "sonic", "container": "model"}
    target |= {"init_container": "weights", "timeout_s": 90.0, "poll_s": 0.5, "kubeconfig": "account"}
    (folder / "targets.yaml").write_text(yaml.safe_dump({"version": 1, "targets": {TARGET: target}}))
    (folder / "secrets").mkdir()
    (folder / "secrets" / "account").write_text(facts.kubectl("config", "view", "--flatten", "--raw"))
    try:
        with weights_server(host, files) as weights:
            pairs = {name: Pair(name, images[name], f"{weights}/{name}", files[name]) for name in VERSIONS}
            there = Booth(facts, namespace, parts.traefik, LocalStore(folder / "store"), folder, pairs)
            there.publish("1.0.0", None)
            deployment, service = manifests(facts, f"{facts.registry}/{namespace}:1.0.0")
            (block,) = [one for one in labelled("") if "kind: Middleware" in one.text]
            routes = list(yaml.safe_load_all(block.text))
            release = published(there.store, MODEL, "1.0.0")
            assert release is not None
            wanted, pair = DeploymentSettings.model_validate(target), pair_of(release, evidence="")
            spec = on_one_card(deployment)["spec"]
            spec["template"] = with_pair(spec["template"], pair, wanted, where=TARGET)
            apply(facts, namespace, [deployment, service, *sorry(facts), *routes])
            there.promote("1.0.0")
            facts.kubectl("wait", "--namespace", namespace, "--for=condition=Available", "deployment/sorry")
            assert process.wait_until(lambda: httpx.get(parts.traefik, trust_env=False).status_code == 200, 60)
            yield there
    finally:
        facts.kubectl("delete", "namespace", namespace, "--wait=false")
        canary.stop(settings)


def apply(facts: Facts, namespace: str, made: list[Object]) -> None:
    for one in made:
        one["metadata"].pop("namespace", None)
    facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=yaml.safe_dump_all(made))


def strategy(booth: Booth, wanted: Object) -> None:
    change = yaml.safe_dump({"spec": {"strategy": wanted}})
    where = ("--namespace", booth.namespace, "deployment", "sonic")
    booth.facts.kubectl("patch", *where, "--type=merge", f"--patch={change}")


def test_a_pod_beside_the_other_gets_no_card_and_that_is_said(booth: Booth) -> None:
    booth.publish("1.1.0", "1.0.0")
    with Asking(booth.url) as user, pytest.raises(NotServingError) as caught:
        booth.promote("1.1.0")
    assert f"no card is free for it: 0/1 nodes are available: 1 Insufficient {OTHER_CARD}" in str(caught.value)
    assert booth.current == "1.0.0"
    assert {status for _, status, _ in user.answers} == {200}


def test_by_turns_there_is_a_gap_that_is_answered(booth: Booth) -> None:
    strategy(booth, {"type": "Recreate", "rollingUpdate": None})
    with Asking(booth.url) as user:
        booth.promote("1.1.0")
        time.sleep(2)
    assert booth.current == "1.1.0"
    gap = [(at, status, retry) for at, status, retry in user.answers if status != 200]
    print(f"\na gap of {gap[-1][0] - gap[0][0]:.1f} s, {len(gap)} of {len(user.answers)} requests in it")  # noqa: T201
    assert {(status, retry) for _, status, retry in gap} == {(503, RETRY_AFTER_S)}, (
        "every one is told when to come again"
    )
