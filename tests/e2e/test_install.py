"""What ``kubectl apply -k`` installs: the API server, its admission and Tekton's schemas take it; it has few rights."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.e2e.api import TEKTON, Api, Object
from tests.e2e.facts import Facts
from tests.e2e.install import NAMESPACE, OVERLAY, Installed
from tests.e2e.repositories import ROOT
from tests.e2e.schemas import write_schemas

MANIFESTS = ROOT / "tekton"
RUNS = MANIFESTS / "runs"
STEPS = sorted(path.stem for path in (MANIFESTS / "tasks").glob("*.yaml"))
WIDER = "build"
"""The one step that `restricted` refuses."""
LEVELS = ("restricted", "baseline")
RUN_ACCOUNT, LISTENER_ACCOUNT, SCHEDULE_ACCOUNT = (
    f"system:serviceaccount:{NAMESPACE}:{name}" for name in ("penstock", "penstock-triggers", "penstock-scheduled")
)


@pytest.fixture(scope="module")
def manifests(facts: Facts, installed: Installed) -> list[Object]:
    """What kustomize makes of the overlay that is installed."""
    return [item for item in yaml.safe_load_all(facts.kubectl("kustomize", str(OVERLAY))) if item]


@pytest.fixture(scope="module")
def runs(manifests: list[Object]) -> list[Object]:
    """The PipelineRuns that people create and that events create, before parameters are put in."""
    made = [template for item in manifests if item["kind"] == "TriggerTemplate" for template in resources(item)]
    by_hand = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(RUNS.glob("*.yaml"))]
    return made + [item for item in by_hand if "kind" in item]


def resources(template: Object) -> list[Object]:
    found: list[Object] = template["spec"]["resourcetemplates"]
    return found


# Schemas and admission


@pytest.fixture(scope="module")
def schemas(facts: Facts, tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_schemas(facts, tmp_path_factory.mktemp("schemas"))


def kubeconform(facts: Facts, schemas: str, content: list[Object]) -> tuple[dict[str, int], str]:
    """Its summary, and what it says."""
    program = json.loads((facts.state / "cluster.json").read_text(encoding="utf-8"))["kubeconform"]
    command = [program, "-strict", "-summary", "-output=json", "-schema-location", schemas, "-"]
    done = subprocess.run(command, input=yaml.safe_dump_all(content), capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    return answer["summary"], json.dumps(answer.get("resources", []), indent=2)


def test_every_manifest_keeps_the_schemas(
    facts: Facts, schemas: str, manifests: list[Object], runs: list[Object]
) -> None:
    content = [*manifests, *runs]
    summary, said = kubeconform(facts, schemas, content)
    assert summary == {"valid": len(content), "invalid": 0, "errors": 0, "skipped": 0}, said


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Task", ("spec", "stepz"), []),
        ("Task", ("spec", "steps", 0, "securityContext", "privilegd"), False),
        ("Pipeline", ("spec", "tasks", 0, "retries"), "many"),
        ("PipelineRun", ("spec", "taskRunTemplate", "podTemplate", "fsGroup"), 1),
        ("NetworkPolicy", ("spec", "egres"), []),
        ("Role", ("rules", 0, "verbs"), "get"),
    ],
)
def test_the_schemas_refuse_a_mistake(
    facts: Facts,
    schemas: str,
    manifests: list[Object],
    runs: list[Object],
    kind: str,
    path: tuple[str | int, ...],
    value: object,
) -> None:
    broken: Any = copy.deepcopy(next(item for item in [*manifests, *runs] if item["kind"] == kind))
    place = broken
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    summary, _ = kubeconform(facts, schemas, [broken])
    assert summary["invalid"] == 1


def test_the_api_server_takes_all_of_it(facts: Facts, installed: Installed, manifests: list[Object]) -> None:
    """Tekton's and Triggers' webhooks are asked too."""
    said = facts.kubectl("apply", "--dry-run=server", "--kustomize", str(OVERLAY))
    assert len(said.splitlines()) == len(manifests)
    assert "error" not in said.lower()


def test_the_api_server_takes_the_runs(facts: Facts, installed: Installed, runs: list[Object]) -> None:
    text = yaml.safe_dump_all(runs).replace("$(tt.params.commit)", "ab" * 20)
    for name in ("url", "revision", "store", "registry", "tls-verify", "allow-http", "by", "weights", "shards"):
        text = text.replace(f"$(tt.params.{name})", "x")
    assert "$(tt." not in text
    said = facts.kubectl("create", "--dry-run=server", "--namespace", NAMESPACE, "--filename", "-", stdin=text)
    assert len(said.splitlines()) == len(runs) == 6


# Pod Security


@pytest.fixture(scope="module")
def levels(facts: Facts, installed: Installed, session_id: str) -> Iterator[dict[str, str]]:
    """Pod Security level → a namespace that enforces it."""
    names = {level: f"{level}-{session_id}" for level in LEVELS}
    for level, name in names.items():
        labels = {"pod-security.kubernetes.io/enforce": level}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        facts.kubectl("create", "--filename", "-", stdin=json.dumps(namespace))
    yield names
    facts.kubectl("delete", "namespace", *names.values(), "--wait=false")


@pytest.fixture(scope="module")
def admitted(facts: Facts, levels: dict[str, str], manifests: list[Object]) -> dict[tuple[str, str], str]:
    """(level, step) → what became of the pod that Tekton made of the Task, with its own containers in it."""
    tasks = {item["metadata"]["name"]: item["spec"] for item in manifests if item["kind"] == "Task"}
    assert sorted(tasks) == STEPS
    wanted = [("restricted", step) for step in STEPS] + [("baseline", WIDER)]
    outcome = {}
    for level in LEVELS:
        api = Api(facts.kubeconfig, levels[level])
        for step in (step for name, step in wanted if name == level):
            api.create(api.collection("taskruns", TEKTON), task_run(step, tasks[step]))
        for step in (step for name, step in wanted if name == level):
            outcome[level, step] = api.wait(
                api.collection("taskruns", TEKTON),
                fate,
                f"the pod of {step} in {levels[level]}",
                timeout_s=300,
                fieldSelector=f"metadata.name={step}",
            )
        api.close()
    return outcome


def task_run(step: str, spec: Object) -> Object:
    """The Task, on a node that there is not: its pod is admitted or refused, and never runs."""
    template = yaml.safe_load((RUNS / "pod-template.yaml").read_text(encoding="utf-8"))
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "TaskRun",
        "metadata": {"name": step},
        "spec": {
            "taskSpec": spec,
            "podTemplate": template | {"nodeSelector": {"penstock.dev/nowhere": "true"}},
            "params": [{"name": item["name"], "value": "x"} for item in spec.get("params", [])],
            "workspaces": [{"name": item["name"], "emptyDir": {}} for item in spec.get("workspaces", [])],
        },
    }


def fate(run: Object) -> str | None:
    """``admitted`` when there is a pod, the reason if there is none; None as long as Tekton has not said."""
    status = run.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "Succeeded" and condition["status"] == "False":
            return str(condition["message"])
    return "admitted" if status.get("podName") else None


@pytest.mark.parametrize("step", [step for step in STEPS if step != WIDER])
def test_a_step_keeps_the_restricted_level(step: str, admitted: dict[tuple[str, str], str]) -> None:
    assert admitted["restricted", step] == "admitted"


def test_the_build_keeps_the_baseline_level_and_needs_it(admitted: dict[tuple[str, str], str]) -> None:
    assert admitted["baseline", WIDER] == "admitted"
    assert "violates PodSecurity" in admitted["restricted", WIDER]


@pytest.mark.parametrize(
    "change",
    [
        {"hostNetwork": True},
        {"hostPID": True},
        {"volumes": [{"name": "host", "hostPath": {"path": "/"}}]},
        {"containers": [{"name": "c", "image": "x", "securityContext": {"privileged": True}}]},
        {"containers": [{"name": "c", "image": "x", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]},
        {"containers": [{"name": "c", "image": "x", "securityContext": {"seccompProfile": {"type": "Unconfined"}}}]},
    ],
    ids=["host network", "host processes", "host path", "privileged", "SYS_ADMIN", "no seccomp"],
)
def test_the_namespace_refuses_more_than_the_build_needs(facts: Facts, installed: Installed, change: Object) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "too-much"},
        "spec": {"containers": [{"name": "c", "image": "x"}]} | change,
    }
    create = ("create", "--dry-run=server", "--namespace", NAMESPACE, "--filename", "-")
    with pytest.raises(AssertionError, match='violates PodSecurity "baseline'):
        facts.kubectl(*create, stdin=json.dumps(pod))


# Rights


@pytest.mark.parametrize(
    ("account", "verb", "resource", "namespace", "allowed"),
    [
        (RUN_ACCOUNT, "get", "secrets", NAMESPACE, False),
        (RUN_ACCOUNT, "list", "pods", NAMESPACE, False),
        (RUN_ACCOUNT, "create", "pipelineruns.tekton.dev", NAMESPACE, False),
        (SCHEDULE_ACCOUNT, "create", "pipelineruns.tekton.dev", NAMESPACE, True),
        (SCHEDULE_ACCOUNT, "list", "pipelineruns.tekton.dev", NAMESPACE, True),
        (SCHEDULE_ACCOUNT, "delete", "pipelineruns.tekton.dev", NAMESPACE, False),
        (SCHEDULE_ACCOUNT, "create", "pipelineruns.tekton.dev", "default", False),
        (SCHEDULE_ACCOUNT, "create", "pods", NAMESPACE, False),
        (SCHEDULE_ACCOUNT, "get", "secrets", NAMESPACE, False),
        (LISTENER_ACCOUNT, "create", "pipelineruns.tekton.dev", NAMESPACE, True),
        (LISTENER_ACCOUNT, "list", "triggers.triggers.tekton.dev", NAMESPACE, True),
        (LISTENER_ACCOUNT, "create", "pipelineruns.tekton.dev", "default", False),
        (LISTENER_ACCOUNT, "delete", "pipelineruns.tekton.dev", NAMESPACE, False),
        (LISTENER_ACCOUNT, "create", "taskruns.tekton.dev", NAMESPACE, False),
        (LISTENER_ACCOUNT, "create", "pods", NAMESPACE, False),
        (LISTENER_ACCOUNT, "get", "secrets", NAMESPACE, False),
        (LISTENER_ACCOUNT, "impersonate", "serviceaccounts", NAMESPACE, False),
        (LISTENER_ACCOUNT, "update", "triggers.triggers.tekton.dev", NAMESPACE, False),
    ],
)
def test_who_may_what(
    facts: Facts, api: Api, installed: Installed, account: str, verb: str, resource: str, namespace: str, allowed: bool
) -> None:
    name, _, group = resource.partition(".")
    attributes = {"verb": verb, "resource": name, "group": group, "namespace": namespace}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": account, "resourceAttributes": attributes},
    }
    answer = api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer["status"]["allowed"] is allowed
