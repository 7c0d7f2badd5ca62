"""Who is admitted: the policy for images says what we sign, those for the account that promotes let the rest alone."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.unit.manifests.installed import TEKTON, objects

from penstock.releases.attestation import PREDICATE_TYPE, VERIFIER

POLICIES = "ValidatingAdmissionPolicy"


def test_the_policy_for_images_asks_for_what_we_sign() -> None:
    policy = yaml.safe_load((TEKTON / "admission" / "penstock-verdict.yaml").read_text(encoding="utf-8"))
    assert policy["spec"]["mode"] == "enforce"
    (authority,) = policy["spec"]["authorities"]
    (verdict,) = authority["attestations"]
    assert verdict["predicateType"] == PREDICATE_TYPE
    said = " ".join(verdict["policy"]["data"].split())
    assert f'predicateType: "{PREDICATE_TYPE}"' in said
    assert f'verifier: id: "{VERIFIER}"' in said
    assert 'verificationResult: "PASSED"' in said


def test_the_status_of_a_promotion_is_written_by_tekton_alone() -> None:
    """Tekton runs the pipelineSpec and taskSpec that stand in the status: who may write that chooses the program."""
    policies = objects(POLICIES)
    for runs, statuses in (("runs", "run-statuses"), ("task-runs", "task-run-statuses")):
        whole, status = (policies[f"penstock-promote-{name}"]["spec"] for name in (runs, statuses))
        assert status["matchConditions"] == whole["matchConditions"]
        (rule,), (of_whole,) = (spec["matchConstraints"]["resourceRules"] for spec in (status, whole))
        assert rule["resources"] == [f"{of_whole['resources'][0]}/status"]
        (validation,) = status["validations"]
        controller = "system:serviceaccount:tekton-pipelines:tekton-pipelines-controller"
        assert validation["expression"] == f"request.userInfo.username == '{controller}'"


def test_a_promotion_takes_secrets_and_configmaps_alone() -> None:
    """As the file `token` of the workspace `mlflow`, the account's own would go to the address beside it."""
    said = [one["expression"] for one in objects(POLICIES)["penstock-promote-runs"]["spec"]["validations"]]
    assert any(
        expression == "object.spec.workspaces.all(one, has(one.secret) && has(one.secret.secretName) "
        "|| has(one.configMap) && has(one.configMap.name))"
        for expression in said
    )
    run = yaml.safe_load((TEKTON / "runs" / "promote.yaml").read_text(encoding="utf-8"))
    assert all(one.keys() & {"secret", "configMap"} for one in run["spec"]["workspaces"])


@pytest.mark.parametrize("policy", objects(POLICIES).values(), ids=lambda policy: policy["metadata"]["name"])
def test_each_policy_of_the_account_denies_and_looks_at_that_account_alone(policy: dict[str, Any]) -> None:
    """One that fails refuses what it looks at: without the condition that would be every pod of the cluster."""
    name, spec = policy["metadata"]["name"], policy["spec"]
    assert spec["failurePolicy"] == "Fail"
    assert len(spec["matchConditions"]) == 1
    assert objects(f"{POLICIES}Binding")[name]["spec"] == {"policyName": name, "validationActions": ["Deny"]}
    about = [spec["matchConditions"][0]["expression"], *(one["expression"] for one in spec["validations"])]
    assert any("penstock-promote" in expression for expression in about)
