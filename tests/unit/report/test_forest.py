"""Numbers behind the drawings: the rules' own limits, the forest bar, the line over the releases, the ranking."""

from __future__ import annotations

import pytest

from penstock.bundle.models import Measurement, RuleResult, Verdict
from penstock.contract.policy import Policy
from penstock.gating.gate import gate
from penstock.report.forest import WIDTH, forest
from penstock.report.old_verdicts import completed

NAMES = [f"case-{n:02}" for n in range(24)]


def values(metric: str, numbers: list[float], slices: tuple[str, ...] = ()) -> list[Measurement]:
    return [
        Measurement(case=case, metric=metric, value=value, slices=list(slices))
        for case, value in zip(NAMES, numbers, strict=False)
    ]


def judged(rules: list[dict[str, object]], before: list[Measurement], after: list[Measurement]) -> Verdict:
    policy = Policy.model_validate({"rules": rules})
    return gate(after, before, policy, candidate_name="new", baseline_name="old")


BEFORE = [7.0 + 0.01 * n for n in range(24)]


def test_the_forest_bar_has_the_gate_s_interval_and_margin() -> None:
    after = [value + 0.3 + 0.02 * (n % 5) for n, value in enumerate(BEFORE)]
    rule = judged([{"metric": "lse_d", "margin": 0.2}], values("lse_d", BEFORE), values("lse_d", after)).rules[0]
    drawn = forest(rule)
    assert rule.verdict == "fail"
    assert drawn
    assert rule.interval
    assert rule.change
    assert drawn.low is not None
    assert drawn.high is not None
    assert drawn.margin is not None
    assert 0 < drawn.zero < drawn.margin < drawn.low < drawn.point < drawn.high < WIDTH
    scale = (drawn.point - drawn.zero) / rule.change
    assert (drawn.margin - drawn.zero) / scale == pytest.approx(0.2, abs=1e-3)
    assert (drawn.high - drawn.zero) / scale == pytest.approx(rule.interval[1], abs=1e-3)


def test_worse_is_right_also_where_higher_is_better() -> None:
    after = [value - 1.0 - 0.02 * (n % 5) for n, value in enumerate(BEFORE)]
    rule = judged([{"metric": "lse_c", "margin": 0.2}], values("lse_c", BEFORE), values("lse_c", after)).rules[0]
    drawn = forest(rule)
    assert drawn
    assert drawn.margin is not None
    assert drawn.low is not None
    assert drawn.high is not None
    assert drawn.zero < drawn.margin < drawn.low < drawn.point < drawn.high


def result(**more: object) -> RuleResult:
    known = {"metric": "lse_d", "slice": None, "verdict": "fail", "reason": "", "limit": "", "n": 1}
    empty = dict.fromkeys(("baseline", "candidate", "change", "interval"))
    return completed(RuleResult.model_validate(known | empty | more))


@pytest.mark.parametrize(
    "rule",
    [
        result(),
        result(metric="own", change=1.0),
        result(change=float("inf")),
        result(change=1.0, interval=(float("-inf"), 2.0)),
        result(metric="av_offset", change=1.0, limit="≤ 1"),
    ],
)
def test_what_cannot_be_drawn_is_not(rule: RuleResult) -> None:
    assert forest(rule) is None


def test_no_change_at_all_is_drawn_at_zero() -> None:
    drawn = forest(result(change=0.0, baseline=7.0, limit="no more than +0 over the baseline", interval=(0.0, 0.0)))
    assert drawn
    assert drawn.zero == drawn.point == drawn.margin == drawn.low == drawn.high


def test_a_far_bound_does_not_press_the_change_into_a_corner() -> None:
    drawn = forest(result(change=1.0, baseline=10.0, limit="≤ 1024, no more than +5 % over the baseline"))
    assert drawn
    assert drawn.bound is None
    assert drawn.point - drawn.zero > WIDTH / 2
