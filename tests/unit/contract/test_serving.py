"""``load`` of the contract: what it leaves out, what is refused, and the rules that come with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.contract.policy import Policy, Rule
from penstock.contract.serving import Load, with_load_rules

ADDED = [
    *("early_ready", "load_errors", "load_dropped", "mixed_answers"),
    *("overload", "stop_lost", "recovered", "oom_recovered"),
]


def test_a_rate_is_enough() -> None:
    load = Load.model_validate({"rate": 5})
    assert (load.seconds, load.warmup_s, load.timeout_s, load.stop_s) == (20.0, 2.0, 10.0, 30.0)
    assert (load.twice, load.stop, load.recover, load.concurrency) == (True, True, True, None)
    assert (load.made_for, load.together, load.oom) == (5.0, True, True)
    assert load.words == "5 requests a second for 20 s"
    assert load.requests(5.0) == 100, "what the rule of P95 over 100 images asks for"
    assert "throughput" not in load.measured


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"rate": 0}, "greater than 0"),
        ({"rate": "5"}, "valid number"),
        ({"rate": float("nan")}, "less than or equal to 2000"),
        ({"seconds": 0.5}, "greater than or equal to 1"),
        ({"rate": 1000, "seconds": 3600}, "at most 200,000 are put"),
        ({"rate": []}, "at least 1 item"),
        ({"rate": [5, 5.0]}, "has a number twice"),
        ({"rate": [5, "6"]}, "valid number"),
        ({"rate": [1, 2, 3, 4, 5, 6, 7, 8, 9]}, "at most 8 items"),
        ({"rate": [100, 2000], "seconds": 100}, "at most 200,000 are put"),
        ({"rate": [1, 2, 3, 4], "seconds": 3600}, "4 rates take 14,408 seconds; at most 10,800 are put"),
        ({"concurrency": 0}, "greater than or equal to 1"),
        ({"rates": [5]}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Load.model_validate({"rate": 5} | changed)


def test_several_rates_have_metrics_of_their_own() -> None:
    load = Load.model_validate({"rate": [5, 2, 7.5]})
    assert load.made_for == 5.0
    assert load.words == "5, 2 and 7.5 requests a second, each for 20 s"
    assert [load.requests(rate) for rate in load.rate] == [100, 40, 150]
    others = [name for name in load.measured if "_at_" in name]
    assert others == [
        f"load_{what}_at_{rate}"
        for rate in ("2", "7.5")
        for what in ("p50_ms", "p95_ms", "p99_ms", "errors", "dropped")
    ]
    rules = with_load_rules(Policy(rules=[Rule(metric="load_p95_ms_at_2", max=300.0)]), load).rules
    assert [rule.metric for rule in rules[1:]] == ADDED, "of the first rate alone"


def test_what_is_left_out_is_not_measured() -> None:
    nothing = dict.fromkeys(("together", "twice", "stop", "recover", "oom"), False)
    load = Load.model_validate({"rate": 5, "concurrency": 8} | nothing)
    assert not {"mixed_answers", "overload", "stop_lost", "recovered", "oom_recovered"} & set(load.measured)
    assert {"throughput", "saturated_p95_ms"} <= set(load.measured)
    assert not {"throughput", "saturated_p95_ms"} & set(Load.model_validate({"rate": 5}).measured)
    rules = with_load_rules(Policy(rules=[Rule(metric="load_p95_ms", max=300.0)]), load).rules
    assert [rule.metric for rule in rules] == ["load_p95_ms", "early_ready", "load_errors", "load_dropped"]


def test_every_service_has_to_hold_these_rules_unless_the_policy_decides_otherwise() -> None:
    load = Load.model_validate({"rate": 5})
    policy = Policy(rules=[Rule(metric="load_p95_ms", max=300.0)])
    assert with_load_rules(policy, None) is policy
    added = {rule.metric: rule for rule in with_load_rules(policy, load).rules[1:]}
    assert list(added) == ADDED
    assert added["recovered"].min == added["oom_recovered"].min == 1.0
    assert {added[name].max for name in ADDED[:-2]} == {0.0}
    own = Policy(rules=[Rule(metric="stop_lost", max=2.0, severity="warn")])
    (kept,) = (rule for rule in with_load_rules(own, load).rules if rule.metric == "stop_lost")
    assert (kept.max, kept.severity) == (2.0, "warn")
