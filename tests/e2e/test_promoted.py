"""From the pipeline to its users: a release that was built and signed on the cluster serves as a Deployment.

Its weights come from Git LFS, by the init container of docs/operations.md as it stands there.
"""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.e2e.api import TEKTON, Api, Object
from tests.e2e.facts import Facts
from tests.e2e.install import NAMESPACE, Installed, Place, apply, write_keys
from tests.e2e.joined import Joined
from tests.e2e.pages import labelled
from tests.e2e.repositories import ROOT
from tests.e2e.run import condition
from tests.e2e.serving import BASE, PORT
from tests.e2e.test_targets import PUBLIC_KEY, role
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.releases.acts import promote
from penstock.releases.attestation import attestation_prefix
from penstock.releases.baseline import Release, baseline, published
from penstock.releases.release import publish
from penstock.store.archive import archive, run_key
from penstock.store.open import open_store
from penstock.store.store import Store

MODEL, VERSION, TARGET = "sonic-lite", "1.0.0", "studio"
RUN_TIMEOUT_S = 240.0
ANSWER_S = 120.0


@dataclass(frozen=True)
class Stage:
    """A release of the pipeline's, in a store of its own, and a Deployment that waits for it."""

    facts: Facts
    api: Api
    namespace: str
    store: Store
    release: Release

    def deployment(self) -> Object:
        where = ("get", "deployment", "sonic", "--namespace", self.namespace, "--output=json")
        found: Object = json.loads(self.facts.kubectl(*where))
        return found


class AlreadyThere:
    """As if it served: where a release was before the one of this test is not what is tried here."""

    @contextmanager
    def claimed(self, _target: str, _release: Release, *, back: bool) -> Iterator[None]:
        assert not back
        yield

    @contextmanager
    def served(self, _target: str, _release: Release, _current: Release | None) -> Iterator[None]:
        yield


@pytest.fixture(scope="module")
def released(
    request: pytest.FixtureRequest,
    facts: Facts,
    place: Place,
    joined: Joined | None,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Store, Release]:
    """What the session's first run has published, and where. Beside other tests it has ended by now."""
    store = open_store(place.store, write_keys(facts, tmp_path_factory.mktemp("keys")))
    if joined is None:
        request.getfixturevalue("first").must_be_green()
    release = published(store, MODEL, VERSION)
    assert release is not None
    return store, release


@pytest.fixture(scope="module")
def stage(
    facts: Facts,
    api: Api,
    installed: Installed,
    place: Place,
    session_id: str,
    released: tuple[Store, Release],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """1.0.0 was current before its model had a target; 1.1.0 has one."""
    folder, namespace, (session, release) = tmp_path_factory.mktemp("promoted"), f"promoted-{session_id}", released
    address = f"{place.store}-promoted"
    store = open_store(address, write_keys(facts, folder / "keys"))
    copy_release(session, store, release, folder)
    publish_with_target(store, release, folder)
    promote(store, MODEL, "1.1.0", reason="a target since", by="e2e", serving=AlreadyThere())
    target = {"kind": "deployment", "models": [MODEL], "namespace": namespace, "name": "sonic", "poll_s": 1}
    target |= {"container": "model", "init_container": "weights", "timeout_s": 150}
    allowed = {"version": 1, "store": address, "verdict_keys": [PUBLIC_KEY], "targets": {TARGET: target}}
    data = {"targets.yaml": yaml.safe_dump(allowed), PUBLIC_KEY: installed.public_key}
    apply(facts, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "penstock-targets"}, "data": data}])
    facts.kubectl("create", "namespace", namespace)
    made = yaml.safe_dump_all(sample(facts))
    facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=made)
    facts.kubectl("apply", "--filename", "-", stdin=role(namespace))
    yield Stage(facts, api, namespace, store, release)
    facts.kubectl("delete", "namespace", namespace, "--wait=false")


def copy_release(session: Store, store: Store, release: Release, folder: Path) -> None:
    """What a promotion looks at of a release, and the pointer: this session's other tests look at theirs."""
    run = run_key(MODEL, release.run_id)
    signed = [entry.key for entry in session.list(attestation_prefix(release.image.digest))]
    for number, key in enumerate([f"{run}/manifest.json", f"{run}/verdict.json", *signed]):
        file = folder / f"file-{number}"
        store.put_file(key, file, session.get_file(key, file))
    for key in [f"published/{MODEL}/{VERSION}.json", f"moves/{MODEL}/000001.json", f"baselines/{MODEL}.json"]:
        found = session.read_pointer(key)
        if found is not None:
            assert store.swap_pointer(key, found.value, seen=None)


def publish_with_target(store: Store, before: Release, folder: Path) -> None:
    """The release after it, whose contract names a target."""
    bundle = accepted_bundle(
        folder / "later", run_id="later", version="1.1.0", commit="1" * 40, baseline=before.run_id, url=before.url
    )
    image = before.image.model_copy(update={"digest": f"sha256:{'1' * 64}"})
    bundle.update_run(bundle.run().model_copy(update={"target": TARGET, "image": image}))
    bundle.seal()
    archive(bundle, store, model=MODEL, run_id="later")
    publish(store, bundle)


def sample(facts: Facts) -> list[Object]:
    """The Deployment of the page, with images and paths of this model, and a Service."""
    (block,) = [one for one in labelled("yaml") if "initContainers:\n" in one.text]
    deployment: Object = yaml.safe_load(block.text)
    del deployment["metadata"]["namespace"]
    deployment["spec"]["replicas"] = 1
    pod = deployment["spec"]["template"]["spec"]
    where = ("get", "task", "clone", "--namespace", NAMESPACE, "--output=jsonpath={.spec.steps[0].image}")
    pod["initContainers"][0]["image"] = facts.kubectl(*where)  # it has git and git-lfs
    (model,) = pod["containers"]
    model["image"] = f"{facts.registry}/{':'.join(BASE)}"
    model["readinessProbe"] = {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1}
    model["volumeMounts"] = [{"name": "weights", "mountPath": "/model/weights", "subPath": "weights"}]
    selector = deployment["spec"]["selector"]["matchLabels"]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "sonic"}}
    return [deployment, service | {"spec": {"selector": selector, "ports": [{"port": PORT}]}}]


def promoted(stage: Stage) -> Object:
    """A run of the pipeline ``promote``, at its end. Nobody says where the store is, and nobody is told."""
    manifest = yaml.safe_load((ROOT / "tekton" / "runs" / "promote.yaml").read_text(encoding="utf-8"))
    given = {"model": MODEL, "version": VERSION, "reason": "e2e", "by": "ann"}
    manifest["spec"]["params"] = [{"name": name, "value": value} for name, value in given.items()]
    bound = manifest["spec"]["workspaces"]
    manifest["spec"]["workspaces"] = [one for one in bound if one["name"] in ("targets", "store-credentials")]
    path = stage.api.collection("pipelineruns", TEKTON)
    name = stage.api.create(path, manifest)["metadata"]["name"]
    return stage.api.wait(
        path,
        lambda found: found if condition(found)["status"] in ("True", "False") else None,
        f"the end of {name}",
        timeout_s=RUN_TIMEOUT_S,
        fieldSelector=f"metadata.name={name}",
    )


def test_it_serves_the_image_that_the_pipeline_built_with_its_weights_from_lfs(stage: Stage) -> None:
    run = promoted(stage)
    log = stage.facts.log_of_run(NAMESPACE, run["metadata"]["name"])
    assert condition(run)["status"] == "True", log
    assert "verdict not verified" not in log
    results = {one["name"]: one["value"] for one in run["status"]["results"]}
    assert results == {"current": VERSION, "changed": "true", "state": ""}
    current = baseline(stage.store, MODEL)
    assert current is not None
    assert (current.version, current.run_id) == (VERSION, stage.release.run_id)
    found = stage.deployment()
    template = found["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == f"{stage.release.image.url}@{stage.release.image.digest}"
    assert template["metadata"]["annotations"]["penstock.dev/run"] == stage.release.run_id
    assert (found["status"]["replicas"], found["status"]["readyReplicas"]) == (1, 1)
    (weights,) = stage.release.weights
    where = ("logs", "deployment/sonic", "--namespace", stage.namespace, "--container=weights")
    # among the lines, not last: what is read of stderr later than of stdout stands behind it
    assert f"{weights.path}: OK" in stage.facts.kubectl(*where).splitlines(), "compared with what was judged"


def test_users_get_an_answer(stage: Stage) -> None:
    where = ("get", "service", "sonic", "--namespace", stage.namespace, "--output=jsonpath={.spec.clusterIP}")
    address, end = f"http://{stage.facts.kubectl(*where)}:{PORT}/healthz", time.monotonic() + ANSWER_S
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            with opener.open(address, timeout=5) as answer:
                assert json.loads(answer.read()) == {"status": "ok"}
                return
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.5)
