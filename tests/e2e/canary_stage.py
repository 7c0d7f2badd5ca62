"""Where canaries are tried: a Rollout behind Traefik, its watch, its releases, and users who ask all the time."""

from __future__ import annotations

import hashlib
import json
import secrets as random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.cluster import canary, process
from tests.cluster.settings import Settings
from tests.e2e.api import Object
from tests.e2e.deployed_from_git import FILE, applied, make_repository, served
from tests.e2e.facts import Facts
from tests.e2e.pages import labelled
from tests.e2e.rollouts import CONTROL, INTERVAL_S, SHORT_PATIENCE_S, Answer, Crowd, manifests, watch_policy
from tests.e2e.served import deployed_watch
from tests.e2e.serving import PORT, Pair, publish_pair, put_image, weights_server

from penstock.bundle.models import Image
from penstock.releases.acts import promote
from penstock.releases.baseline import baseline, published
from penstock.store.store import Store
from penstock.targets.canary import CanaryState
from penstock.targets.delivery import Delivery
from penstock.targets.news import News
from penstock.targets.pair import ServedPair, pair_of
from penstock.targets.pod_template import with_pair
from penstock.targets.targets_file import RolloutSettings

MODEL, TARGET, FIRST = "sonic-lite", "studio", "1.0.0"
CANARY_S, SHORT_CANARY_S = 300.0, 120.0
"""The analysis gives up before; what is left is for people, and for a machine that is busy."""
METRIC = "/spec/metrics/0"
SURE = 40
"""So many answers one after the other say that no Service is without a pod any more."""
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
    news: list[News]
    """What people would have been told."""
    prometheus: str = ""
    """Its address, where a test asks it itself."""
    repository: Path | None = None
    """The deployment repository that holds the Rollout, if one does."""

    def publish(self, version: str, before: str | None) -> None:
        """A release judged against the one before; it waits for its target."""
        image = Image(kind="image", url=f"{self.facts.registry}/{self.namespace}", digest=self.digests[version])
        pair = Pair(version, image, f"{self.weights}/{version}", self.files[version])
        publish_pair(self.store, self.folder, pair, before=before, target=TARGET)

    def promote(self, version: str) -> None:
        """As the command does."""
        file, secrets = self.folder / "targets.yaml", self.folder / "secrets"
        serving = Delivery(self.store, file, secrets, by="ann", heard=self.news.append)
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

    def look(self, policy: Object, since: datetime) -> tuple[int, Object]:
        """``penstock watch``, once: its exit code and what it said."""
        file = self.folder / "look.yaml"
        file.write_text(yaml.safe_dump(policy))
        argv = [*PENSTOCK, "watch", str(file), f"--since={since.isoformat()}", "--json"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in (0, 1, 3), done.stderr
        return done.returncode, json.loads(done.stdout)

    @property
    def current(self) -> str:
        found = baseline(self.store, MODEL)
        assert found is not None
        return found.current_version or ""

    def write_targets(self, target: Object) -> None:
        """``targets.yaml``."""
        (self.folder / "targets.yaml").write_text(yaml.safe_dump({"version": 1, "targets": {TARGET: target}}))

    def hurry(self) -> None:
        """Less patience from now on: for canaries that will not be decided however long they are looked at."""
        path = self.folder / "targets.yaml"
        target = yaml.safe_load(path.read_text(encoding="utf-8"))["targets"][TARGET]
        self.write_targets(target | {"canary_s": SHORT_CANARY_S})
        limits = {"inconclusiveLimit": SHORT_PATIENCE_S // INTERVAL_S, "count": SHORT_PATIENCE_S // INTERVAL_S + 2}
        changes = [{"op": "replace", "path": f"{METRIC}/{name}", "value": value} for name, value in limits.items()]
        patch = ("--type=json", f"--patch={json.dumps(changes)}")
        self.facts.kubectl("patch", "analysistemplate", "penstock-watch", "--namespace", self.namespace, *patch)

    def exists(self) -> bool:
        """Whether there is a Rollout."""
        return bool(self.facts.kubectl("get", "rollout", "--namespace", self.namespace, "--output=name"))

    def rollout(self) -> Object:
        where = ("get", "rollout", "sonic", "--namespace", self.namespace, "--output=json")
        found: Object = json.loads(self.facts.kubectl(*where))
        return found

    def control(self) -> tuple[int, int]:
        """The replicas of the control group, and its weight."""
        where = ("--namespace", self.namespace, "--output=json")
        deployment = json.loads(self.facts.kubectl("get", "deployment", CONTROL, *where))
        router = json.loads(self.facts.kubectl("get", "traefikservice", "sonic", *where))
        (entry,) = [one for one in router["spec"]["weighted"]["services"] if one["name"] == CONTROL]
        return deployment["spec"]["replicas"], entry["weight"]

    def pods_of(self, service: str) -> list[str]:
        """``ADDRESS:PORT`` of the pods behind a Service."""
        where = ("--namespace", self.namespace, "--output=json")
        slices = self.facts.kubectl("get", "endpointslices", f"--selector=kubernetes.io/service-name={service}", *where)
        ends = [end for one in json.loads(slices)["items"] for end in one["endpoints"] or []]
        return [f"{end['addresses'][0]}:{PORT}" for end in ends]

    def scrape(self, *services: str) -> None:
        """Let Prometheus ask the pods of some Services for their counters from now on."""
        canary.scrape(self.settings, {name: self.pods_of(name) for name in services})

    def versions_asked_for(self) -> set[str]:
        """What analyses have told the watch that the canary is."""
        found = json.loads(self.facts.kubectl("get", "analysisruns", "--namespace", self.namespace, "--output=json"))
        args = [arg for run in found["items"] for arg in run["spec"]["args"]]
        return {arg["value"] for arg in args if arg["name"] == "version"}

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
        thread.join(timeout=CANARY_S + 120)
    assert not thread.is_alive()


def account(facts: Facts, namespace: str, *, control: bool = False) -> str:
    """A kubeconfig of an account that has the Roles of the page and nothing else."""
    facts.kubectl("create", "serviceaccount", "promoter", "--namespace", namespace)
    subject = f"--serviceaccount={namespace}:promoter"
    for of in ("rollouts/status", "traefikservices") if control else ("rollouts/status",):
        (block,) = [one for one in labelled("yaml") if "kind: Role\n" in one.text and of in one.text]
        role = yaml.safe_load(block.text)
        role["metadata"]["namespace"] = namespace
        facts.kubectl("apply", "--filename", "-", stdin=yaml.safe_dump(role))
        name = role["metadata"]["name"]
        facts.kubectl("create", "rolebinding", name, "--namespace", namespace, f"--role={name}", subject)
    config = yaml.safe_load(facts.kubectl("config", "view", "--flatten", "--raw"))
    token = facts.kubectl("create", "token", "promoter", "--namespace", namespace).strip()
    config["users"][0]["user"] = {"token": token}
    return yaml.safe_dump(config)


@contextmanager
def open_stage(
    facts: Facts, namespace: str, folder: Path, store: Store, versions: tuple[str, ...], *, in_git: bool = False
) -> Iterator[Stage]:
    """1.0.0 serves everybody, and users ask.

    Args:
        facts: the cluster.
        namespace: is made, and goes at the end.
        folder: for files.
        store: for the releases.
        versions: that will be published, beside 1.0.0.
        in_git: whether a deployment repository holds the Rollout; a canary has no control group then.
    """
    settings, host = Settings.from_environment(), facts.registry.partition(":")[0]
    facts.kubectl("create", "namespace", namespace)
    parts = canary.start(settings, namespace)
    files = {version: random.token_bytes(1000) for version in (FIRST, *versions)}
    digests = {version: put_image(facts, namespace, version) for version in files}
    target: dict[str, Any] = {"kind": "rollout", "models": [MODEL], "namespace": namespace, "name": "sonic"}
    target |= {"container": "model", "init_container": "weights", "timeout_s": 90.0, "poll_s": 0.5}
    target |= {"canary_s": CANARY_S, "kubeconfig": "account"} | ({} if in_git else {"control": CONTROL})
    (folder / "secrets").mkdir()
    (folder / "secrets" / "account").write_text(account(facts, namespace, control=not in_git))
    by_digest = {hashlib.sha256(content).hexdigest(): content for content in files.values()}
    try:
        with (
            weights_server(host, files | by_digest) as weights,
            ExitStack() as more,
        ):
            there = Stage(
                facts,
                settings,
                namespace,
                parts.traefik,
                store,
                weights,
                files,
                digests,
                folder,
                Crowd(parts.traefik, dislike="slow"),
                [],
                parts.prometheus,
            )
            there.publish(FIRST, None)
            # the control group has a twentieth of the stable side's requests: more may be no harm, to decide as soon
            beside: Object = {} if in_git else {"stable": "control", "harmless": 0.1}
            watch = deployed_watch(facts, namespace, watch_policy(parts.prometheus, **beside))
            made = manifests(facts, f"{facts.registry}/{namespace}:{FIRST}", watch, control=not in_git)
            release = published(store, MODEL, FIRST)
            assert release is not None
            pair, rollout = pair_of(release, evidence=""), made.pop()
            if in_git:
                held(rollout, pair, weights)
                there.repository = make_repository(folder, yaml.safe_dump(rollout, sort_keys=False, width=1000))
                target["git"] = {"repository": more.enter_context(served(there.repository, host)), "allow_http": True}
                target["git"] |= {"file": FILE, "fields": FIELDS}
            else:
                wanted = RolloutSettings.model_validate(target)
                rollout["spec"]["template"] = with_pair(rollout["spec"]["template"], pair, wanted, where=TARGET)
                made.append(rollout)
            there.write_targets(target)
            facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=yaml.safe_dump_all(made))
            if there.repository is not None:
                more.enter_context(applied(facts, namespace, there.repository))
                assert process.wait_until(there.exists, 60)
            there.promote(FIRST)  # it serves as soon as it is ready: the first needs no canary
            # both Services: before the first weights are set, the canary's has half of the users, and may have no pod
            routed = process.wait_until(lambda: all(_answers(parts.traefik) for _ in range(SURE)), 60)
            assert routed, "Traefik has not found the route"
            with there.crowd:
                yield there
    finally:
        facts.kubectl("delete", "namespace", namespace, "--wait=false")
        canary.stop(settings)


FIELDS: list[Object] = [
    {"at": ["spec", "template", "spec", "containers", 0, "image"], "value": "image"},
    {"at": ["spec", "template", "spec", "initContainers", 0, "env", 0, "value"], "value": "weights", "path": "w.bin"},
    {"at": ["spec", "template", "metadata", "annotations", "penstock.dev/version"], "value": "version"},
]


def held(rollout: Object, pair: ServedPair, weights: str) -> None:
    """Write the Rollout as a deployment repository has it: digests of a pair, and where its weights come from."""
    template = rollout["spec"]["template"]
    template["metadata"]["annotations"] = {"penstock.dev/model": MODEL, "penstock.dev/version": pair.version}
    template["spec"]["containers"][0]["image"] = pair.image
    template["spec"]["initContainers"][0]["env"] = [
        {"name": "SHA256", "value": pair.weights[0].sha256},
        {"name": "PENSTOCK_WEIGHTS", "value": f"$(SHA256) {weights}/$(SHA256) w.bin"},
    ]
