"""Numbers behind the drawings: the rules' own limits, the forest bar, the line over the releases, the ranking."""

from __future__ import annotations

import pytest
from tests.unit.report.case_values import BEFORE, judged, result, values

from penstock.bundle.verdict_record import RuleResult
from penstock.report.forest import WIDTH, forest


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
