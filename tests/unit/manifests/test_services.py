"""Services: what each Deployment has, and who may ask it."""

from __future__ import annotations

from typing import Any

import pytest
from images.recipe import recipes
from tests.unit.manifests.installed import objects

SERVICES = sorted(name for name, recipe in recipes().items() if recipe.is_service)


def deployment(name: str) -> dict[str, Any]:
    found: dict[str, Any] = objects("Deployment")[name]
    return found


def pod(name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment(name)["spec"]["template"]["spec"]
    return found


def test_each_service_has_its_objects() -> None:
    assert sorted(objects("Deployment")) == SERVICES
    assert set(SERVICES) <= set(objects("NetworkPolicy"))
    assert {f"penstock-{name}" for name in SERVICES} <= set(objects("ServiceAccount"))


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_until_somebody_wants_it(name: str) -> None:
    assert deployment(name)["spec"]["replicas"] == 0


@pytest.mark.parametrize("name", SERVICES)
def test_it_runs_as_nobody_with_nothing(name: str) -> None:
    (container,) = pod(name)["containers"]
    assert pod(name)["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "fsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert set(container["resources"]) == {"requests", "limits"}
    assert {"cpu", "memory"} == set(container["resources"]["limits"])


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_the_command_of_its_image(name: str) -> None:
    (container,) = pod(name)["containers"]
    assert container["image"] == f"penstock.local/{name}:0.1.0"
    assert "command" not in container, "the image says it"


@pytest.mark.parametrize("name", SERVICES)
def test_its_account_has_no_token_unless_it_has_a_role(name: str) -> None:
    account = pod(name)["serviceAccountName"]
    assert account == f"penstock-{name}"
    bound = {subject["name"] for binding in objects("RoleBinding").values() for subject in binding["subjects"]}
    assert objects("ServiceAccount")[account]["automountServiceAccountToken"] == (account in bound)
    assert pod(name)["automountServiceAccountToken"] == (account in bound)


@pytest.mark.parametrize("name", SERVICES)
def test_secrets_are_files_that_the_program_is_told_of(name: str) -> None:
    (container,) = pod(name)["containers"]
    mounted = {entry["name"]: entry for entry in container["volumeMounts"]}
    secrets = [volume["name"] for volume in pod(name)["volumes"] if "secret" in volume]
    assert all(mounted[secret]["readOnly"] for secret in secrets)
    for variable in container.get("env", []):
        assert "secretKeyRef" not in variable.get("valueFrom", {}), "other programs of the pod can read a variable"
    assert "envFrom" not in container
    assert mounted["workspace"]["mountPath"] == "/workspace", "HOME and TMPDIR: the root file system is read-only"


@pytest.mark.parametrize("name", [name for name in SERVICES if name in objects("Service")])
def test_its_service_leads_to_it_and_probes_ask_it(name: str) -> None:
    (container,) = pod(name)["containers"]
    labels = deployment(name)["spec"]["template"]["metadata"]["labels"]
    service = objects("Service")[name]["spec"]
    assert service["selector"] == deployment(name)["spec"]["selector"]["matchLabels"]
    assert service["selector"].items() <= labels.items()
    assert [port["name"] for port in container["ports"]] == [service["ports"][0]["targetPort"]]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/healthz", "port": "http"}


@pytest.mark.parametrize("name", SERVICES)
def test_its_policy_selects_its_pods(name: str) -> None:
    spec = objects("NetworkPolicy")[name]["spec"]
    labels = deployment(name)["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"]["matchLabels"] == labels
    assert spec["policyTypes"] == ["Ingress", "Egress"]


@pytest.mark.parametrize("name", ["serve", "watch"])
def test_only_pods_with_a_label_ask_and_it_reaches_what_a_step_does(name: str) -> None:
    spec = objects("NetworkPolicy")[name]["spec"]
    (rule,) = spec["ingress"]
    (container,) = pod(name)["containers"]
    assert [port["port"] for port in rule["ports"]] == [port["containerPort"] for port in container["ports"]]
    for peer in rule["from"]:
        assert peer["podSelector"]["matchLabels"]
    assert spec["egress"] == objects("NetworkPolicy")["steps"]["spec"]["egress"]


def test_two_pods_never_count_the_same_runs() -> None:
    assert deployment("pulls")["spec"]["strategy"] == {"type": "Recreate"}


def test_two_pods_never_write_one_journal() -> None:
    assert deployment("watch")["spec"]["strategy"] == {"type": "Recreate"}
