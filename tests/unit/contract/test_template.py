"""The template of a contract holds what it says."""

from __future__ import annotations

from pathlib import Path

import yaml
from tests.unit.cli.contract_commands import init

from penstock.contract.load import load_contract
from penstock.contract.policy import Policy
from penstock.families.registry import is_timed
from penstock.gating.suite_words import policy_remarks


def test_the_policy_of_the_template_lets_no_timing_stop_an_unchanged_model(tmp_path: Path) -> None:
    init(tmp_path)
    policy = load_contract(tmp_path).policy
    for rule in policy.rules:
        exact = rule.margin is None or rule.severity == "warn" or policy.baseline == "rerun"
        assert exact or not is_timed(rule.metric), "the load of the machine would stop a model that did not change"
    assert any(is_timed(rule.metric) for rule in policy.rules), "and time is shown all the same"
    commented = yaml.safe_load(
        "\n".join(
            line.replace("# - ", "- ")
            for line in (tmp_path / "penstock.yaml").read_text().splitlines()
            if "# - {" in line
        )
    )
    suggested = Policy.model_validate({"rules": commented})
    assert [remark.what for remark in policy_remarks(suggested)] == []
