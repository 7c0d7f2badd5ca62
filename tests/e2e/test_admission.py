"""Admission: only images with a signed verdict start (sigstore's policy-controller), and only promotions promote.

Some 55 s on a warm cluster, and no run of the pipeline: verdicts are signed here, by our own code.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster import admission
from tests.cluster.settings import Settings
from tests.e2e.facts import Facts
from tests.e2e.repositories import ROOT
from tests.e2e.serving import Pair, publish_pair, put_image
from tests.unit.releases.signing_keys import key_pair

from penstock.bundle.models import Image
from penstock.foundation.errors import WorldError
from penstock.releases.acts import promote
from penstock.releases.attest import UnverifiedError, signed_envelope
from penstock.releases.attestation import PREDICATE_TYPE
from penstock.releases.baseline import published
from penstock.releases.envelope import open_envelope, private_key, public_key, read_envelope, sign, write_envelope
from penstock.sources.image_attestation import attach_statement
from penstock.store.local import LocalStore
from penstock.targets.delivery import Delivery

MODEL = "sonic-lite"
INCLUDED = {"policy.sigstore.dev/include": "true"}
POLICY = ROOT / "tekton" / "admission" / "penstock-verdict.yaml"
PROMOTERS = ROOT / "tekton" / "rbac" / "promoters.yaml"
PROMOTION = ROOT / "tekton" / "runs" / "promote.yaml"
REFUSED = "admission webhook"
READY_S = 60.0


def kubectl(facts: Facts, *words: str, stdin: Any = None) -> subprocess.CompletedProcess[str]:
    """What the API server says, also where it refuses."""
    argv = [facts.kubectl_program, f"--kubeconfig={facts.kubeconfig}", *words]
    text = None if stdin is None else json.dumps(stdin)
    return subprocess.run(argv, input=text, capture_output=True, text=True, timeout=120, check=False)


@dataclass
class Ward:
    """A namespace, and images of a repository of its own."""

    facts: Facts
    namespace: str
    digests: dict[str, str]
    """What was done to an image → its digest; also its tag."""
    store: LocalStore
    """Where what passed and what is unsigned were released, as 1.0.0 and 1.1.0."""
    targets: Path
    """``targets.yaml``, which names the same key as the policy, and a target that nobody answers for."""

    @property
    def repository(self) -> str:
        return f"{self.facts.registry}/{self.namespace}"

    def image(self, name: str) -> str:
        return f"{self.repository}@{self.digests[name]}"

    def try_pod(self, image: str) -> subprocess.CompletedProcess[str]:
        """A pod, as far as the API server's decision: no pod comes of it."""
        spec = {"containers": [{"name": "model", "image": image}]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "model"}, "spec": spec}
        words = ("create", "--dry-run=server", f"--namespace={self.namespace}", "--output=json", "--filename=-")
        return kubectl(self.facts, *words, stdin=pod)


def attach(image: Image, envelope: bytes) -> None:
    assert attach_statement(image, envelope, PREDICATE_TYPE, tls_verify=False)


@pytest.fixture(scope="module")
def ward(facts: Facts, session_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """Images with a verdict of each sort beside them, and policy-controller with our policy."""
    folder, namespace = tmp_path_factory.mktemp("admission"), f"ward-{session_id}"
    names = ("passed", "unsigned", "other-key", "rejected", "borrowed")
    digests = {name: put_image(facts, namespace, name) for name in names}
    images = {
        name: Image(kind="image", url=f"{facts.registry}/{namespace}", digest=digest)
        for name, digest in digests.items()
    }
    key, pem = key_pair(folder / "ours")
    other, _ = key_pair(folder / "other")
    store = LocalStore(folder / "store")
    publish_pair(store, folder, Pair("1.0.0", images["passed"], "", b"w"), before=None, target="studio", key=key)
    publish_pair(store, folder, Pair("1.1.0", images["unsigned"], "", b"w"), before=None, target="studio")
    release = published(store, MODEL, "1.0.0")
    assert release is not None
    verdict = signed_envelope(store, release, public_key(pem))
    statement = open_envelope(read_envelope(verdict, "the verdict"), public_key(pem))

    def about(name: str, by: Path, result: str = "PASSED") -> bytes:
        said = statement | {"subject": [{"name": namespace, "digest": {"sha256": digests[name].partition(":")[2]}}]}
        said["predicate"] = statement["predicate"] | {"verificationResult": result}
        return write_envelope(sign(json.dumps(said).encode(), private_key(by)))

    attach(images["passed"], verdict)
    attach(images["other-key"], about("other-key", other))
    attach(images["rejected"], about("rejected", key, "FAILED"))
    attach(images["borrowed"], verdict)
    place = Ward(facts, namespace, digests, store, targets_beside(pem))
    with admission.running(Settings.from_environment()):
        new = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": INCLUDED}}
        facts.kubectl("create", "--filename=-", stdin=json.dumps(new))
        try:
            trust(facts, place, pem)
            yield place
        finally:
            facts.kubectl("delete", "namespace", namespace, "--wait=false")


def targets_beside(pem: Path) -> Path:
    """A webhook's that nobody answers, so that one sees how far a promotion comes; and its secret."""
    hook = {"kind": "webhook", "models": [MODEL], "url": "https://127.0.0.1:9/", "secret": "hook", "poll_s": 0.01}
    file = pem.with_name("targets.yaml")
    file.write_text(yaml.safe_dump({"version": 1, "verdict_keys": [pem.name], "targets": {"studio": hook}}))
    pem.with_name("hook").write_text("0123456789abcdef")
    return file


def trust(facts: Facts, ward: Ward, pem: Path) -> None:
    """The key and our policy, as docs/security.md has them; returns when they count."""
    where = f"--namespace={admission.ADMISSION.namespace}"
    facts.kubectl("create", "secret", "generic", "penstock-verdict-key", where, f"--from-file=penstock.pub={pem}")
    policy = POLICY.read_text(encoding="utf-8")
    assert policy.count("registry.example.org/**") == 1
    policy = policy.replace("registry.example.org/**", f"{facts.registry}/{ward.namespace}**")
    end = time.monotonic() + READY_S
    while (done := kubectl(facts, "apply", "--filename=-", stdin=yaml.safe_load(policy))).returncode:
        assert time.monotonic() < end, done.stderr
        time.sleep(0.5)
    while "penstock-verdict" not in (said := ward.try_pod(ward.image("unsigned")).stderr):
        assert time.monotonic() < end, f"no policy is asked: {said}"
        time.sleep(0.5)


def test_an_image_with_a_signed_verdict_starts(ward: Ward) -> None:
    admitted = ward.try_pod(ward.image("passed"))
    assert admitted.returncode == 0, admitted.stderr


def test_its_tag_becomes_its_digest(ward: Ward) -> None:
    admitted = ward.try_pod(f"{ward.repository}:passed")
    assert admitted.returncode == 0, admitted.stderr
    (container,) = json.loads(admitted.stdout)["spec"]["containers"]
    assert container["image"] == f"{ward.repository}:passed@{ward.digests['passed']}"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("unsigned", "no matching attestations"),
        ("other-key", "accepted signatures do not match"),
        ("rejected", 'conflicting values "FAILED" and "PASSED"'),
        ("borrowed", "no matching subject digest"),
    ],
)
def test_no_other_image_starts(ward: Ward, name: str, why: str) -> None:
    for image in (ward.image(name), f"{ward.repository}:{name}"):
        refused = ward.try_pod(image)
        assert refused.returncode != 0
        assert REFUSED in refused.stderr
        assert "penstock-verdict" in refused.stderr
        assert why in refused.stderr


def test_promote_refuses_the_unsigned_one_as_well(ward: Ward) -> None:
    """Before it asks the target anything; of the other release it does."""
    serving = Delivery(ward.store, ward.targets, ward.targets.parent, by="ann")
    with pytest.raises(UnverifiedError, match="no verdict over it is signed"):
        promote(ward.store, MODEL, "1.1.0", by="ann", serving=serving)
    with pytest.raises(WorldError, match="it does not say what serves now"):
        promote(ward.store, MODEL, "1.0.0", by="ann", serving=serving)


def test_nor_does_one_that_no_policy_names(ward: Ward) -> None:
    refused = ward.try_pod(f"{ward.facts.registry}/library/python:3.11-slim")
    assert refused.returncode != 0
    assert "no matching policies" in refused.stderr


def test_a_deployment_is_refused_before_its_pods(ward: Ward) -> None:
    words = ("create", "deployment", "sonic", f"--namespace={ward.namespace}", "--dry-run=server")
    assert kubectl(ward.facts, *words, f"--image={ward.image('passed')}").returncode == 0
    refused = kubectl(ward.facts, *words, f"--image={ward.image('unsigned')}")
    assert "penstock-verdict" in refused.stderr


# Who promotes


@dataclass
class Office:
    """A namespace with the account that promotes, and a pipeline ``promote``."""

    facts: Facts
    namespace: str

    def create(self, manifest: Any, *words: str) -> subprocess.CompletedProcess[str]:
        return kubectl(self.facts, "create", f"--namespace={self.namespace}", "--filename=-", *words, stdin=manifest)

    def refused(self, manifest: Any) -> str:
        done = self.create(manifest, "--dry-run=server")
        assert done.returncode != 0, done.stdout
        return done.stderr


@pytest.fixture(scope="module")
def office(facts: Facts, session_id: str) -> Iterator[Office]:
    """With the manifest that Penstock is installed with; taken away again where it was not installed."""
    installed = kubectl(facts, "get", f"--filename={PROMOTERS}").returncode == 0
    place = Office(facts, f"office-{session_id}")
    facts.kubectl("create", "namespace", place.namespace)
    try:
        facts.kubectl("apply", f"--filename={PROMOTERS}")
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "penstock-promote"}}
        assert place.create(account).returncode == 0
        targets = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "penstock-targets"}}
        assert place.create(targets | {"data": {"targets.yaml": "x"}}).returncode == 0
        assert place.create(pipeline(facts)).returncode == 0
        end = time.monotonic() + READY_S
        while place.create(pod(), "--dry-run=server").returncode == 0:
            assert time.monotonic() < end, "the policies count for nothing yet"
            time.sleep(0.3)
        yield place
    finally:
        facts.kubectl("delete", "namespace", place.namespace, "--wait=false")
        if not installed:
            facts.kubectl("delete", f"--filename={PROMOTERS}", "--ignore-not-found")


def pipeline(facts: Facts) -> Any:
    image = f"{facts.registry}/library/python:3.11-slim"
    read = {"name": "read", "image": image, "command": ["cat", "$(workspaces.targets.path)/targets.yaml"]}
    spaces = [{"name": "targets"}]
    task = {"name": "move", "taskSpec": {"workspaces": spaces, "steps": [read]}}
    task["workspaces"] = [{"name": "targets", "workspace": "targets"}]
    spec = {"workspaces": spaces, "tasks": [task]}
    return {"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": {"name": "promote"}, "spec": spec}


def pod() -> Any:
    spec = {"serviceAccountName": "penstock-promote", "containers": [{"name": "any", "image": "any"}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "any"}, "spec": spec}


def promotion(**changes: Any) -> Any:
    """``tekton/runs/promote.yaml``, for a pipeline that takes no parameters."""
    found = yaml.safe_load(PROMOTION.read_text(encoding="utf-8"))
    found["spec"]["params"] = []
    found["spec"]["workspaces"] = [one for one in found["spec"]["workspaces"] if one["name"] == "targets"]
    found["spec"] |= changes
    return found


def test_a_promotion_runs_as_the_account(office: Office) -> None:
    made = office.create(promotion(), "--output=jsonpath={.metadata.name}")
    assert made.returncode == 0, made.stderr
    space = f"--namespace={office.namespace}"
    office.facts.kubectl("wait", "--for=condition=Succeeded", f"pipelinerun/{made.stdout}", space, "--timeout=90s")
    # its pod stays as Tekton made it
    name = office.facts.kubectl("get", "pod", space, "--output=jsonpath={.items[0].metadata.name}")
    changed = kubectl(office.facts, "set", "image", f"pod/{name}", "*=any", space, "--dry-run=server")
    assert "made by Tekton alone" in changed.stderr
    debugged = kubectl(office.facts, "debug", name, "--image=any", "--profile=general", space)
    assert "made by Tekton alone" in debugged.stderr
    office.facts.kubectl("annotate", "pod", name, "example.org/seen=yes", space, "--dry-run=server")
    # Tekton runs what stands in the status
    for run, spec in ((f"pipelinerun/{made.stdout}", "pipelineSpec"), (f"taskrun/{made.stdout}-move", "taskSpec")):
        patch = (
            "--subresource=status",
            "--type=merge",
            f'--patch={{"status": {{"{spec}": null}}}}',
            "--dry-run=server",
        )
        assert "written by Tekton alone" in kubectl(office.facts, "patch", run, *patch, space).stderr


def test_nothing_else_runs_as_it(office: Office) -> None:
    assert "made by Tekton alone" in office.refused(pod())
    spec = {"serviceAccountName": "penstock-promote", "taskSpec": {"steps": [{"name": "any", "image": "any"}]}}
    task_run = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": {"name": "any"}, "spec": spec}
    assert "made by Tekton alone" in office.refused(task_run)
    assert "of the pipeline 'promote'" in office.refused(promotion(pipelineRef={"name": "release"}))
    own = {"tasks": [{"name": "any", "taskSpec": spec["taskSpec"]}]}
    inline = promotion(pipelineSpec=own)
    del inline["spec"]["pipelineRef"]
    assert "of the pipeline 'promote'" in office.refused(inline)
    quiet = promotion(
        taskRunTemplate={}, taskRunSpecs=[{"pipelineTaskName": "move", "serviceAccountName": "penstock-promote"}]
    )
    assert "no taskRunSpecs" in office.refused(quiet)
    older = promotion(serviceAccountName="penstock-promote", pipelineRef={"name": "release"})
    del older["spec"]["taskRunTemplate"]
    assert "of the pipeline 'promote'" in office.refused(older | {"apiVersion": "tekton.dev/v1beta1"})


def test_a_promotion_takes_the_platforms_targets(office: Office) -> None:
    for source in ({"configMap": {"name": "mine"}}, {"emptyDir": {}}, {"secret": {"secretName": "penstock-targets"}}):
        mine = promotion(workspaces=[{"name": "targets", **source}])
        assert "from the ConfigMap 'penstock-targets'" in office.refused(mine)
    token = {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
    for source in (token, {"emptyDir": {}}, {"persistentVolumeClaim": {"claimName": "any"}}):
        spaces = [*promotion()["spec"]["workspaces"], {"name": "mlflow"} | source]
        assert "no volume of another kind" in office.refused(promotion(workspaces=spaces))


def test_nobody_gets_its_token(office: Office) -> None:
    asked = kubectl(office.facts, "create", "token", "penstock-promote", f"--namespace={office.namespace}")
    assert "for the pods of the pipeline 'promote' alone" in asked.stderr
    metadata = {"name": "any", "annotations": {"kubernetes.io/service-account.name": "penstock-promote"}}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": metadata}
    assert "no lasting token" in office.refused(secret)
    other = kubectl(office.facts, "create", "token", "default", f"--namespace={office.namespace}")
    assert other.returncode == 0, other.stderr


def test_kubernetes_finds_no_fault_in_their_expressions(office: Office) -> None:
    """One that fails refuses all that it looks at."""
    for policy in yaml.safe_load_all(PROMOTERS.read_text(encoding="utf-8")):
        if policy["kind"] == "ValidatingAdmissionPolicy":
            name, end = policy["metadata"]["name"], time.monotonic() + READY_S
            words = ("get", "validatingadmissionpolicy", name, "--output=json")
            while "typeChecking" not in (status := json.loads(office.facts.kubectl(*words)).get("status", {})):
                assert time.monotonic() < end, f"{name} was not looked at"
                time.sleep(0.5)
            assert status["typeChecking"] == {}, name
