"""What is installed is all of it, under one name each, in one namespace."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.unit.manifests.installed import TEKTON, files, objects, read

KUSTOMIZATION: dict[str, Any] = yaml.safe_load((TEKTON / "kustomization.yaml").read_text(encoding="utf-8"))


def test_kustomization_lists_every_manifest() -> None:
    assert len(KUSTOMIZATION["resources"]) == len(set(KUSTOMIZATION["resources"]))
    assert sorted(KUSTOMIZATION["resources"]) == files()


def test_all_of_it_goes_into_the_namespace_that_comes_with_it() -> None:
    assert list(objects("Namespace")) == [KUSTOMIZATION["namespace"]]


def test_no_two_objects_have_one_name() -> None:
    names = [(manifest["kind"], manifest["metadata"]["name"]) for name in files() for manifest in read(name)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", files())
def test_everything_says_what_it_belongs_to(name: str) -> None:
    for manifest in read(name):
        labels = manifest["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == manifest["metadata"]["name"]
        assert labels["app.kubernetes.io/part-of"] == "penstock"
        assert labels["app.kubernetes.io/version"] == "0.1.0"
        assert "namespace" not in manifest["metadata"], "kustomize says it, so that an overlay can choose another"


def test_the_namespace_admits_no_more_than_the_build_needs() -> None:
    """Baseline refuses these capabilities' like; a test on the cluster shows that the API server agrees."""
    labels = objects("Namespace")["penstock"]["metadata"]["labels"]
    levels = {name.rpartition("/")[2]: level for name, level in labels.items() if name.startswith("pod-security")}
    assert levels == {"enforce": "baseline", "warn": "restricted", "audit": "restricted"}


def test_no_run_has_a_right_or_a_token() -> None:
    assert objects("ServiceAccount")["penstock"]["automountServiceAccountToken"] is False
    for template in objects("TriggerTemplate").values():
        for run in template["spec"]["resourcetemplates"]:
            assert run["spec"]["taskRunTemplate"]["serviceAccountName"] == "penstock"
    for kind in ("RoleBinding", "ClusterRoleBinding"):
        for binding in objects(kind).values():
            (subject,) = binding["subjects"]
            assert subject["name"] in ("penstock-triggers", "penstock-scheduled", "penstock-pulls")


def test_only_a_promotion_gets_the_token_of_the_account_that_promotes() -> None:
    """What it may do the platform binds, for each target: nothing comes with Penstock."""
    assert objects("ServiceAccount")["penstock-promote"]["automountServiceAccountToken"] is True
    runs = {path.stem: yaml.safe_load(path.read_text()) for path in (TEKTON / "runs").glob("*.yaml")}
    promoting = runs.pop("promote")["spec"]
    assert promoting["pipelineRef"] == {"name": "promote"}
    assert promoting["taskRunTemplate"]["serviceAccountName"] == "penstock-promote"
    assert "automountServiceAccountToken" not in promoting["taskRunTemplate"]["podTemplate"]
    assert "penstock-promote" not in yaml.safe_dump(runs)
    entries = {name: one["spec"]["tasks"] for name, one in objects("Pipeline").items()}
    assert [entry["taskRef"]["name"] for entry in entries["promote"]] == ["move"]
    others = ("drift", "release", "verify")
    assert "move" not in {entry["taskRef"]["name"] for name in others for entry in entries[name]}


def test_the_listener_may_create_runs_and_read_triggers_and_nothing_else() -> None:
    rules = [
        (resource, verb)
        for kind in ("Role", "ClusterRole")
        for name, role in objects(kind).items()
        if name == "penstock-triggers"
        for rule in role["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]
    assert {resource for resource, verb in rules if verb not in ("get", "list", "watch")} == {"pipelineruns"}
    assert {verb for resource, verb in rules if resource == "pipelineruns"} == {"create"}
    assert not {"secrets", "serviceaccounts", "pods", "configmaps"} & {resource for resource, _ in rules}


def test_the_desk_may_do_what_it_does_with_runs_and_nothing_else() -> None:
    (rule,) = objects("Role")["penstock-pulls"]["rules"]
    verbs = ["create", "list", "patch", "delete"]
    assert rule == {"apiGroups": ["tekton.dev"], "resources": ["pipelineruns"], "verbs": verbs}
    assert "penstock-pulls" not in objects("ClusterRole")
    container = objects("Deployment")["pulls"]["spec"]["template"]["spec"]["containers"][0]
    told = dict(argument.removeprefix("--").split("=") for argument in container["args"])
    mounted = {entry["name"]: entry["mountPath"] for entry in container["volumeMounts"]}
    assert told["config"] == f"{mounted['config']}/pulls.yaml"
    assert told["secrets"] == mounted["secrets"]
    assert told["port"] == str(container["ports"][0]["containerPort"])
