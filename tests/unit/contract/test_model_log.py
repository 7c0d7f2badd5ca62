"""The section ``log`` of a contract."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penstock.contract.model_log import ModelLog, with_log_rule
from penstock.contract.policy import Policy, Rule

LOG = ModelLog(required=["event"])


def test_a_log_with_a_fault_stops_a_release_unless_the_policy_says_otherwise() -> None:
    policy = Policy(rules=[Rule(metric="latency", max=1.0)])
    assert with_log_rule(policy, None) is policy
    (_, added) = with_log_rule(policy, LOG).rules
    assert (added.metric, added.min, added.severity) == ("log", 1.0, "block")
    own = Policy(rules=[Rule(metric="log", min=1.0, severity="warn")])
    assert with_log_rule(own, LOG) is own


@pytest.mark.parametrize("content", [{}, {"required": []}, {"required": [""]}, {"required": ["a"], "wehre": {}}])
def test_what_it_cannot_say(content: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelLog.model_validate(content)
