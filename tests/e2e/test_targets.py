"""Promotion to a Deployment, on the cluster: nobody loses a request, and what fails is put back exactly."""

from __future__ import annotations

import hashlib
import secrets as random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.e2e.api import TEKTON, Api, Object
from tests.e2e.facts import Facts
from tests.e2e.install import NAMESPACE, Installed, Place, apply, signing_keys, write_keys
from tests.e2e.pages import labelled
from tests.e2e.repositories import ROOT
from tests.e2e.run import condition
from tests.e2e.serving import Pair, Users, manifests, publish_pair, put_image, weights_server

from penstock.bundle.models import Image
from penstock.releases.acts import promote
from penstock.releases.baseline import baseline, published
from penstock.store.open import open_store
from penstock.store.store import Store
from penstock.targets.delivery import Delivery
from penstock.targets.deployment import DeploymentTarget, EditedError
from penstock.targets.pair import pair_of
from penstock.targets.targets_file import DeploymentSettings, load_targets
from penstock.targets.workload_api import StaleError, WorkloadApi

MODEL, TARGET = "sonic-lite", "studio"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0-broken")
PUBLIC_KEY = "penstock.pub"
RUN_TIMEOUT_S = 300.0


@dataclass
class Studio:
    """Where it serves, and where its releases are."""

    facts: Facts
    namespace: str
    url: str
    """Of the store."""
    store: Store
    api: Api
    """Of Penstock's namespace."""
    weights: str
    """Address that weights are fetched from."""
    files: dict[str, bytes]
    digests: dict[str, str]
    folder: Path
    key: Path
    """Signs the verdicts."""

    def publish(self, number: int) -> None:
        """The release of a number, judged against the one before; it waits for its target."""
        version, before = VERSIONS[number], VERSIONS[number - 1] if number else None
        image = Image(kind="image", url=f"{self.facts.registry}/{self.repository}", digest=self.digests[version])
        pair = Pair(version, image, f"{self.weights}/{version}", self.files[version])
        publish_pair(self.store, self.folder, pair, before=before, target=TARGET, key=self.key)

    @property
    def repository(self) -> str:
        return self.namespace

    def serves(self, version: str) -> tuple[str, str]:
        """What the service answers of a version: never its image with another's weights."""
        return version, hashlib.sha256(self.files[version]).hexdigest()

    def template(self) -> Object:
        said = self.facts.kubectl("get", "deployment", "sonic", "--namespace", self.namespace, "--output=yaml")
        found: Object = yaml.safe_load(said)["spec"]["template"]
        return found

    def run(self, act: str, version: str) -> Object:
        """A run of the pipeline ``promote``, begun as tekton/runs/promote.yaml has it, at its end."""
        manifest = yaml.safe_load((ROOT / "tekton" / "runs" / "promote.yaml").read_text(encoding="utf-8"))
        given = {"act": act, "model": MODEL, "version": version, "reason": "e2e", "by": "ann", "store": self.url}
        manifest["spec"]["params"] = [{"name": name, "value": value} for name, value in given.items()]
        path = self.api.collection("pipelineruns", TEKTON)
        name = self.api.create(path, manifest)["metadata"]["name"]
        return self.api.wait(
            path,
            lambda found: found if condition(found)["status"] in ("True", "False") else None,
            f"the end of {name}",
            timeout_s=RUN_TIMEOUT_S,
            fieldSelector=f"metadata.name={name}",
        )

    def log(self, run: Object) -> str:
        return self.facts.log_of_run(NAMESPACE, run["metadata"]["name"])


def targets(namespace: str, **more: Any) -> str:
    """``targets.yaml``."""
    target = {"kind": "deployment", "models": [MODEL], "namespace": namespace, "name": "sonic"}
    target |= {"container": "model", "init_container": "weights", "timeout_s": 150, "poll_s": 1}
    return yaml.safe_dump({"version": 1, "targets": {TARGET: target | more}, "verdict_keys": [PUBLIC_KEY]})


def allow(facts: Facts, namespace: str, public_key: str) -> None:
    """What ``promote`` reads of the platform: where releases serve, and whose verdicts hold."""
    data = {"targets.yaml": targets(namespace), PUBLIC_KEY: public_key}
    apply(facts, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "penstock-targets"}, "data": data}])


def role(namespace: str) -> str:
    """The Role of the page, for the namespace of this session."""
    (block,) = [one for one in labelled("yaml") if "kind: RoleBinding" in one.text and "deployments" in one.text]
    return block.text.replace("namespace: studio", f"namespace: {namespace}")


@pytest.fixture(scope="module")
def studio(
    facts: Facts,
    api: Api,
    installed: Installed,
    place: Place,
    session_id: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Studio]:
    """1.0.0 serves, brought from outside of the cluster; a run may promote."""
    namespace, folder = f"studio-{session_id}", tmp_path_factory.mktemp("studio")
    url = f"{place.store}-targets"
    store = open_store(url, write_keys(facts, folder / "keys"))
    files = {version: random.token_bytes(1000) for version in VERSIONS}
    digests = {version: put_image(facts, namespace, version) for version in VERSIONS}
    host = facts.registry.partition(":")[0]
    facts.kubectl("create", "namespace", namespace)
    with weights_server(host, files) as weights:
        key = folder / "penstock.key"
        key.write_text(installed.signing_key)
        there = Studio(facts, namespace, url, store, api, weights, files, digests, folder, key)
        image = f"{facts.registry}/{namespace}:1.0.0"
        made = yaml.safe_dump_all(manifests(facts, image))
        facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=made)
        facts.kubectl("apply", "--filename", "-", stdin=role(namespace))
        allow(facts, namespace, installed.public_key)
        there.publish(0)
        (folder / "secrets").mkdir()
        (folder / "secrets" / "admin").write_text(facts.kubectl("config", "view", "--flatten", "--raw"))
        (folder / "targets.yaml").write_text(targets(namespace, kubeconfig="admin"))
        (folder / PUBLIC_KEY).write_text(installed.public_key)
        promote(
            store, MODEL, "1.0.0", reason="first", serving=Delivery(store, folder / "targets.yaml", folder / "secrets")
        )
        yield there
    facts.kubectl("delete", "namespace", namespace, "--wait=false")


@pytest.fixture
def users(studio: Studio) -> Iterator[Users]:
    """Somebody asks the service through its Service's address, all the time."""
    where = ("get", "service", "sonic", "--namespace", studio.namespace)
    with Users(studio.facts.kubectl(*where, "--output=jsonpath={.spec.clusterIP}")) as asking:
        yield asking


def test_a_release_comes_and_goes_back_without_a_lost_request(studio: Studio, users: Users) -> None:
    studio.publish(1)
    first = studio.template()
    run = studio.run("promote", "1.1.0")
    assert condition(run)["status"] == "True", studio.log(run)
    results = {one["name"]: one["value"] for one in run["status"]["results"]}
    assert results == {"current": "1.1.0", "changed": "true", "state": ""}
    current = baseline(studio.store, MODEL)
    assert current is not None
    assert current.version == "1.1.0"
    assert studio.template()["spec"]["containers"][0]["image"].endswith(studio.digests["1.1.0"])
    assert users.answers[-1] == studio.serves("1.1.0")

    studio.publish(2)
    before = studio.template()
    run = studio.run("promote", "1.2.0-broken")
    assert condition(run)["status"] == "False"
    assert "the rollout took longer than it may" in studio.log(run)
    assert studio.template() == before, "put back exactly"
    assert users.answers[-1] == studio.serves("1.1.0")

    run = studio.run("rollback", "")
    assert condition(run)["status"] == "True", studio.log(run)
    assert studio.template() == first, "as it was before 1.1.0"
    assert users.answers[-1] == studio.serves("1.0.0")

    assert users.failures == []
    assert len(users.answers) > 100
    assert set(users.answers) == {studio.serves("1.0.0"), studio.serves("1.1.0")}


def test_a_verdict_that_another_key_signed_moves_nothing(studio: Studio, installed: Installed) -> None:
    before = studio.template()
    allow(studio.facts, studio.namespace, signing_keys()[1])
    run = studio.run("promote", "1.1.0")
    allow(studio.facts, studio.namespace, installed.public_key)
    assert condition(run)["status"] == "False"
    assert "its verdict is not signed by the platform" in studio.log(run)
    assert studio.template() == before


def test_what_somebody_changes_meanwhile_is_told_and_stays(studio: Studio) -> None:
    """As the API server has it: a change of what was read before is a conflict, and nothing is written."""
    settings = load_targets(studio.folder / "targets.yaml").targets[TARGET]
    assert isinstance(settings, DeploymentSettings)
    api = WorkloadApi(settings, studio.folder / "secrets", where=TARGET)
    target = DeploymentTarget(TARGET, settings, studio.folder / "secrets")
    state, seen = target.state(), api.read()
    annotate = ("annotate", "deployment", "sonic", "--namespace", studio.namespace, "--overwrite")
    studio.facts.kubectl(*annotate, f"example.org/by=hand-{random.token_hex(4)}")
    with pytest.raises(StaleError):
        api.replace_template(seen, seen["spec"]["template"])
    by_hand = {"spec": {"template": {"metadata": {"annotations": {"example.org/restarted": random.token_hex(4)}}}}}
    path = f"/apis/apps/v1/namespaces/{studio.namespace}/deployments/sonic"
    studio.api.patch(path, by_hand)
    before = studio.template()
    release = published(studio.store, MODEL, "1.0.0")
    assert release is not None
    with pytest.raises(EditedError):
        target.deploy(pair_of(release, evidence=""), None)
    target.restore(state)
    assert studio.template() == before


@pytest.mark.parametrize(
    ("account", "verb", "what", "allowed"),
    [
        ("penstock-promote", "patch", "deployments.apps/sonic", True),
        ("penstock-promote", "patch", "deployments.apps/another", False),
        ("penstock-promote", "create", "deployments.apps", False),
        ("penstock-promote", "get", "secrets", False),
        ("penstock-promote", "create", "pods", False),
        ("penstock", "patch", "deployments.apps/sonic", False),
        ("penstock", "get", "deployments.apps/sonic", False),
    ],
)
def test_who_may_change_it(studio: Studio, account: str, verb: str, what: str, allowed: bool) -> None:
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{NAMESPACE}:{account}",
            "resourceAttributes": {
                "namespace": studio.namespace,
                "verb": verb,
                "group": "apps" if "apps" in what else "",
                "resource": what.partition("/")[0].partition(".")[0],
                "name": what.partition("/")[2],
            },
        },
    }
    answer = studio.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer["status"]["allowed"] is allowed
