"""A canary on the cluster, under load: it comes to all, is rolled back by itself, is stopped, or waits for a person."""

from __future__ import annotations

import hashlib
import json
import secrets as random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.cluster import canary, process
from tests.cluster.settings import Settings
from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.pages import labelled
from tests.e2e.rollouts import Answer, Crowd, manifests, watch_policy
from tests.e2e.serving import Pair, publish_pair, put_image, weights_server

from penstock.bundle.models import Image
from penstock.releases.acts import promote, roll_back
from penstock.releases.baseline import baseline, published
from penstock.releases.history import history
from penstock.store.local import LocalStore
from penstock.store.store import Store
from penstock.targets.canary import CanaryState
from penstock.targets.delivery import Delivery
from penstock.targets.pair import pair_of
from penstock.targets.pod_template import with_pair
from penstock.targets.targets_file import RolloutSettings
from penstock.targets.waiting import CanaryUndecidedError, NotServingError

MODEL, TARGET = "sonic-lite", "studio"
GOOD, FLAKY, STOPPED, UNSEEN = "1.1.0", "1.2.0-flaky", "1.3.0", "1.4.0"
VERSIONS = ("1.0.0", GOOD, FLAKY, STOPPED, UNSEEN)
ROUTER_S = 5.0
"""For the router to hear of what the cluster has decided, and for what is under way: some 2 s on an idle machine."""
PENSTOCK = (sys.executable, "-c", "import sys; from penstock.cli.app import main; sys.exit(main())")


@dataclass
class Stage:
    """Where it serves, and where its releases are."""

    facts: Facts
    settings: Settings
    namespace: str
    url: str
    """What users ask."""
    store: Store
    weights: str
    files: dict[str, bytes]
    digests: dict[str, str]
    folder: Path
    crowd: Crowd

    def publish(self, version: str, before: str | None) -> None:
        """A release judged against the one before; it waits for its target."""
        image = Image(kind="image", url=f"{self.facts.registry}/{self.namespace}", digest=self.digests[version])
        pair = Pair(version, image, f"{self.weights}/{version}", self.files[version])
        publish_pair(self.store, self.folder, pair, before=before, target=TARGET)

    def promote(self, version: str) -> None:
        """As the command does."""
        serving = Delivery(self.store, self.folder / "targets.yaml", self.folder / "secrets", by="ann")
        promote(self.store, MODEL, version, reason="e2e", by="ann", serving=serving)

    def canary(self, act: str, *given: str) -> Object:
        """``penstock canary``, the command itself."""
        options = [f"--targets={self.folder}/targets.yaml", f"--secrets={self.folder}/secrets", "--json", *given]
        if act != "status":
            options += [f"--store={self.store.uri}", "--by=bob"]
        argv = [*PENSTOCK, "canary", act, MODEL, *options]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        found: Object = json.loads(done.stdout)
        return found

    @property
    def current(self) -> str:
        found = baseline(self.store, MODEL)
        assert found is not None
        return found.current_version or ""

    def rollout(self) -> Object:
        where = ("get", "rollout", "sonic", "--namespace", self.namespace, "--output=json")
        found: Object = json.loads(self.facts.kubectl(*where))
        return found

    def cookie(self, version: str) -> str:
        """What a new user gets from a version."""
        with httpx.Client(trust_env=False) as users:
            for _ in range(1000):
                users.cookies.clear()
                answer = users.get(self.url)
                if answer.json()[0] == version:
                    return answer.headers["Set-Cookie"].partition(";")[0]
        raise AssertionError(f"nobody gets {version}")

    def versions(self, cookie: str) -> set[str]:
        """What a user with a cookie gets, in ten requests."""
        with httpx.Client(headers={"Cookie": cookie}, trust_env=False) as user:
            return {user.get(self.url).json()[0] for _ in range(10)}

    def wait(self, holds: Callable[[CanaryState], bool], what: str, timeout_s: float = 60.0) -> CanaryState:
        end = time.monotonic() + timeout_s
        while not holds(state := CanaryState.of(self.rollout())):
            assert time.monotonic() < end, f"{what}: {state.told()}"
            time.sleep(0.3)
        return state

    def pair(self, answer: Answer) -> bool:
        """Whether an answer is of one release: never its image with another's weights."""
        return hashlib.sha256(self.files[answer.version]).hexdigest() == answer.weights


@contextmanager
def watching(folder: Path, host: str, prometheus: str) -> Iterator[str]:
    """``penstock watch --serve``; returns its address."""
    (folder / "watch.yaml").write_text(yaml.safe_dump(watch_policy(prometheus)))
    port = Settings.watch_port
    argv = [*PENSTOCK, "watch", str(folder / "watch.yaml"), "--serve", f"{host}:{port}"]
    program = subprocess.Popen(argv)
    address = f"http://{host}:{port}"
    try:
        assert process.wait_until(lambda: _answers(f"{address}/healthz"), 60)
        yield address
    finally:
        program.terminate()
        program.wait(timeout=20)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).is_success
    except httpx.HTTPError:
        return False


@contextmanager
def promotion(stage: Stage, version: str) -> Iterator[list[BaseException]]:
    """One that is under way; at the end it is over, and the list has its error."""
    errors: list[BaseException] = []

    def work() -> None:
        try:
            stage.promote(version)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield errors
    finally:
        thread.join(timeout=240)
    assert not thread.is_alive()


def account(facts: Facts, namespace: str) -> str:
    """A kubeconfig of an account that has the Role of the page and nothing else."""
    (block,) = [one for one in labelled("yaml") if "kind: Role" in one.text and "rollouts/status" in one.text]
    role = yaml.safe_load(block.text)
    role["metadata"]["namespace"] = namespace
    facts.kubectl("apply", "--filename", "-", stdin=yaml.safe_dump(role))
    name = role["metadata"]["name"]
    facts.kubectl("create", "serviceaccount", "promoter", "--namespace", namespace)
    subject = f"--serviceaccount={namespace}:promoter"
    facts.kubectl("create", "rolebinding", "promoter", "--namespace", namespace, f"--role={name}", subject)
    config = yaml.safe_load(facts.kubectl("config", "view", "--flatten", "--raw"))
    token = facts.kubectl("create", "token", "promoter", "--namespace", namespace).strip()
    config["users"][0]["user"] = {"token": token}
    return yaml.safe_dump(config)


@pytest.fixture(scope="module")
def stage(facts: Facts, session_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """1.0.0 serves everybody, and users ask."""
    settings = Settings.from_environment()
    namespace, folder = f"canary-{session_id}", tmp_path_factory.mktemp("canary")
    host = facts.registry.partition(":")[0]
    facts.kubectl("create", "namespace", namespace)
    parts = canary.start(settings, namespace)
    store = LocalStore(folder / "store")
    files = {version: random.token_bytes(1000) for version in VERSIONS}
    digests = {version: put_image(facts, namespace, version) for version in VERSIONS}
    target: dict[str, Any] = {"kind": "rollout", "models": [MODEL], "namespace": namespace, "name": "sonic"}
    target |= {"container": "model", "init_container": "weights", "timeout_s": 90.0, "poll_s": 0.5}
    target |= {"canary_s": 90.0, "kubeconfig": "account"}
    (folder / "targets.yaml").write_text(yaml.safe_dump({"version": 1, "targets": {TARGET: target}}))
    (folder / "secrets").mkdir()
    (folder / "secrets" / "account").write_text(account(facts, namespace))
    try:
        with weights_server(host, files) as weights, watching(folder, host, parts.prometheus) as watch:
            crowd = Crowd(parts.traefik)
            there = Stage(facts, settings, namespace, parts.traefik, store, weights, files, digests, folder, crowd)
            there.publish("1.0.0", None)
            made = manifests(facts, f"{facts.registry}/{namespace}:1.0.0", watch)
            spec = made[-1]["spec"]
            release = published(store, MODEL, "1.0.0")
            assert release is not None
            wanted = RolloutSettings.model_validate(target)
            spec["template"] = with_pair(spec["template"], pair_of(release, evidence=""), wanted, where=TARGET)
            facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=yaml.safe_dump_all(made))
            there.promote("1.0.0")  # it serves as soon as it is ready: the first needs no canary
            assert process.wait_until(lambda: _answers(parts.traefik), 60), "Traefik has not found the route"
            with crowd:
                yield there
    finally:
        facts.kubectl("delete", "namespace", namespace, "--wait=false")
        canary.stop(settings)


def test_a_good_release_comes_to_five_percent_and_then_to_all(stage: Stage) -> None:
    began = time.monotonic()
    stage.publish(GOOD, "1.0.0")
    with promotion(stage, GOOD) as errors:
        stage.wait(lambda state: state.weight == 5, "the canary")
        assert stage.current == "1.0.0", "published is not current"
    assert errors == []
    assert stage.current == GOOD
    assert stage.canary("status")["state"] == "none"
    answers = stage.crowd.since(began)
    assert stage.crowd.failures == []
    assert all(answer.status == 200 and stage.pair(answer) for answer in answers)
    time.sleep(ROUTER_S)
    assert {answer.version for answer in stage.crowd.since(time.monotonic() - 1)} == {GOOD}
    met = [answer for answer in answers if answer.version == GOOD]
    first, last_old = met[0].at, max(answer.at for answer in answers if answer.version == "1.0.0")
    during = [answer for answer in answers if first <= answer.at <= last_old and not answer.user]
    share = sum(answer.version == GOOD for answer in during) / len(during)
    print(  # noqa: T201
        f"\n{len(answers)} requests, 0 failed; {first - began:.0f} s from publish to the first answer of the canary,"
        f" {last_old - first:.0f} s more to the last of the release before; {share:.1%} of {len(during)} meanwhile"
    )
    for user in {answer.user for answer in answers} - {0}:
        mine = [answer.version for answer in answers if answer.user == user]
        assert mine == sorted(mine), "who comes back with a cookie is not sent to and fro"


def test_one_that_misbehaves_live_is_rolled_back_by_itself(stage: Stage) -> None:
    template, began = stage.rollout()["spec"]["template"], time.monotonic()
    stage.publish(FLAKY, GOOD)
    with pytest.raises(NotServingError, match=r"the canary was stopped: .*[Mm]etric.*watch.* Failed"):
        stage.promote(FLAKY)
    assert stage.rollout()["spec"]["template"] == template, "put back exactly"
    assert stage.current == GOOD
    answers = stage.crowd.since(began)
    met = [answer for answer in answers if answer.version == FLAKY]
    assert met
    assert all(answer.version == FLAKY for answer in answers if answer.status != 200)
    assert stage.crowd.failures == []
    ended = time.monotonic() - began
    time.sleep(ROUTER_S)
    print(f"\n{len(met)} of {len(answers)} requests met it, {ended:.0f} s from promote to put back")  # noqa: T201
    assert {answer.version for answer in stage.crowd.since(time.monotonic() - 1)} == {GOOD}


def test_one_command_stops_it(stage: Stage) -> None:
    stage.publish(STOPPED, GOOD)
    template = stage.rollout()["spec"]["template"]
    with promotion(stage, STOPPED) as errors:
        stage.wait(lambda state: state.weight == 5, "the canary")
        assert stage.canary("pause", "--reason=a storm")["changed"]
        assert not stage.canary("pause", "--reason=a storm")["changed"]
        assert stage.canary("status")["state"] == "paused"
        cookie = stage.cookie(STOPPED)
        assert stage.versions(cookie) == {STOPPED}, "who has met the canary stays with it"
        began = time.monotonic()
        assert stage.canary("abort", "--reason=green faces")["entry"]["by"] == "bob"
    assert [type(error) for error in errors] == [NotServingError]
    assert not stage.canary("abort", "--reason=green faces")["changed"]
    met = [answer.at for answer in stage.crowd.since(0) if answer.version == STOPPED]
    assert met
    print(f"\nthe last answer of the canary came {max(met) - began:.1f} s after the command began")  # noqa: T201
    assert max(met) - began < 10
    assert stage.versions(cookie) == {GOOD}, "until it is over"
    assert stage.crowd.failures == []
    assert (stage.rollout()["spec"]["template"], stage.current) == (template, GOOD)
    kinds = [move.kind for move in history(stage.store, MODEL).moves if move.version == STOPPED]
    assert kinds == ["published", "canary paused", "canary aborted"]


def test_without_evidence_it_is_never_promoted(stage: Stage) -> None:
    """Prometheus is gone: it pauses, waits for a person, and is put back when its time is over."""
    stage.publish(UNSEEN, GOOD)
    template = stage.rollout()["spec"]["template"]
    process.stop(stage.settings, "prometheus")
    with promotion(stage, UNSEEN) as errors:
        stage.wait(lambda state: state.inconclusive, "the pause", timeout_s=120)
        assert stage.canary("status")["state"] == "inconclusive"
        assert stage.canary("resume", "--reason=one more look")["changed"]
        stage.wait(lambda state: state.analysis == "Running" and not state.pauses, "another analysis")
    assert [type(error) for error in errors] == [CanaryUndecidedError]
    assert "inconclusive, needs you" in str(errors[0])
    assert (stage.rollout()["spec"]["template"], stage.current) == (template, GOOD)
    assert stage.crowd.failures == []


def test_a_rollback_is_no_canary(stage: Stage) -> None:
    serving = Delivery(stage.store, stage.folder / "targets.yaml", stage.folder / "secrets", by="ann")
    began = time.monotonic()
    roll_back(stage.store, MODEL, "1.0.0", reason="flicker", by="ann", serving=serving)
    ended = time.monotonic()
    assert stage.current == "1.0.0"
    time.sleep(ROUTER_S)
    answers = stage.crowd.since(began)
    first = min(answer.at for answer in answers if answer.version == "1.0.0") - began
    last = max(answer.at for answer in answers if answer.version != "1.0.0") - began
    print(f"\n{first:.1f} s to its first answer, {ended - began:.1f} s until told, {last:.1f} s to the last other one")  # noqa: T201
    assert first < 10
    assert {answer.version for answer in stage.crowd.since(time.monotonic() - 1)} == {"1.0.0"}
    assert stage.crowd.failures == []
