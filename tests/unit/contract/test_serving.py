"""``load`` of the contract: what it leaves out, what is refused, and the rules that come with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.contract.policy import Policy, Rule
from penstock.contract.serving import Load, with_load_rules

ADDED = ["early_ready", "load_errors", "load_dropped", "overload", "stop_lost", "recovered"]


def test_a_rate_is_enough() -> None:
    load = Load.model_validate({"rate": 5})
    assert (load.seconds, load.warmup_s, load.timeout_s, load.stop_s) == (20.0, 2.0, 10.0, 30.0)
    assert (load.twice, load.stop, load.recover, load.concurrency) == (True, True, True, None)
    assert load.requests == 100, "what the rule of P95 over 100 images asks for"
    assert "throughput" not in load.measured


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rate": 0}, "greater than 0"),
        ({"rate": "5"}, "valid number"),
        ({"rate": float("nan")}, "less than or equal to 2000"),
        ({"seconds": 0.5}, "greater than or equal to 1"),
        ({"rate": 1000, "seconds": 3600}, "at most 200,000 are put"),
        ({"concurrency": 0}, "greater than or equal to 1"),
        ({"rates": [5]}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Load.model_validate({"rate": 5} | changed)


def test_what_is_left_out_is_not_measured() -> None:
    load = Load.model_validate({"rate": 5, "twice": False, "stop": False, "recover": False, "concurrency": 8})
    assert not {"overload", "stop_lost", "recovered"} & set(load.measured)
    assert "throughput" in load.measured
    rules = with_load_rules(Policy(rules=[Rule(metric="load_p95_ms", max=300.0)]), load).rules
    assert [rule.metric for rule in rules] == ["load_p95_ms", "early_ready", "load_errors", "load_dropped"]


def test_every_service_has_to_hold_these_rules_unless_the_policy_decides_otherwise() -> None:
    load = Load.model_validate({"rate": 5})
    policy = Policy(rules=[Rule(metric="load_p95_ms", max=300.0)])
    assert with_load_rules(policy, None) is policy
    added = {rule.metric: rule for rule in with_load_rules(policy, load).rules[1:]}
    assert list(added) == ADDED
    assert added["recovered"].min == 1.0
    assert {added[name].max for name in ADDED[:-1]} == {0.0}
    own = Policy(rules=[Rule(metric="stop_lost", max=2.0, severity="warn")])
    (kept,) = (rule for rule in with_load_rules(own, load).rules if rule.metric == "stop_lost")
    assert (kept.max, kept.severity) == (2.0, "warn")
