"""One rule against the values: what is missing fails, bounds hold the mean, ``worst`` holds each case."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import RuleResult
from penstock.contract.policy import Rule
from penstock.foundation.errors import UsageError
from penstock.gating import rules
from penstock.gating.measurements import Table
from penstock.gating.rules import Examined, conclude, examine

Values = dict[str, float | None]


def table(values: Values, extractor: str | None = None) -> Table:
    fixed = {"metric": "lse_d", "extractor": extractor}
    return Table("candidate", (Measurement.model_validate(fixed | {"case": c, "value": v}) for c, v in values.items()))


def margin_in_unit(rule: Rule, base: float) -> float:
    assert rule.margin is None or rule.margin.relative
    return rule.margin.amount * abs(base) if rule.margin is not None else 0.0


def examined(ours: Values, theirs: Values | None = None, **rule: Any) -> Examined:
    return examine(
        Rule.model_validate({"metric": "lse_d"} | rule),
        table(ours),
        table(theirs) if theirs is not None else None,
        margin_in_unit,
    )


def judged(ours: Values, theirs: Values | None = None, **rule: Any) -> RuleResult:
    return conclude(examined(ours, theirs, **rule), 0.05, None)


def test_bounds_hold_the_mean_and_worst_each_case() -> None:
    values: Values = {"a": 7.0, "b": 9.0}
    assert judged(values, max=8.0).verdict == "pass"
    assert judged(values, max=7.9).verdict == "fail"
    assert judged(values, min=8.1).verdict == "fail"
    assert judged(values, max=8.0, worst=8.5).verdict == "fail"
    assert judged(values, max=8.0, worst=9.0).verdict == "pass"


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [({"a": 1.0, "b": None}, None), ({}, None), ({"a": 1.0}, {"a": 1.0, "b": 1.0})],
)
def test_what_is_missing_fails_whatever_the_bounds(ours: Values, theirs: Values | None) -> None:
    result = judged(ours, theirs, max=99.0)
    assert result.verdict == "fail"
    assert result.candidate is None or theirs is not None


def test_of_a_value_of_the_whole_suite_the_reason_says_why_it_is_what_it_is() -> None:
    told = {"metric": "page", "case": "*", "value": 0.0, "error": "the page hangs"}
    ours = Table("candidate", [Measurement.model_validate(told)])
    result = conclude(examine(Rule(metric="page", min=1.0), ours, None, margin_in_unit), 0.05, None)
    assert result.verdict == "fail"
    assert result.reason == "web page is 0, below the minimum of 1: the page hangs"
    assert result.predicate == "is 0, below the minimum of 1: the page hangs"
    long = Table("candidate", [Measurement.model_validate(told | {"error": "x" * 1000})])
    result = conclude(examine(Rule(metric="page", min=1.0), long, None, margin_in_unit), 0.05, None)
    assert len(result.reason) < 300


def test_margin_holds_the_paired_change() -> None:
    base: Values = {name: 8.0 + place for place, name in enumerate("abcdefgh")}
    worse: Values = {name: value + 1.0 for name, value in base.items() if value is not None}
    assert judged(base, base, margin="5%").verdict == "pass"
    result = judged(worse, base, margin="5%")
    assert (result.verdict, result.change) == ("fail", pytest.approx(1.0))
    assert judged(worse, base, margin="5%", severity="warn").severity == "warn"


def test_without_a_baseline_it_is_said_what_was_not_compared() -> None:
    values: Values = {"a": 7.0}
    assert judged(values, margin="5%").not_compared == "rule"
    assert judged(values, margin="5%", max=8.0).not_compared == "margin"
    assert judged(values, max=8.0).not_compared is None


def test_values_of_two_networks_are_not_compared() -> None:
    with pytest.raises(UsageError):
        examine(Rule(metric="lse_d", max=9), table({"a": 1.0}, "x"), table({"a": 1.0}, "y"), margin_in_unit)


def test_outcome_beside_other_slices_goes_before_its_own() -> None:
    base: Values = {name: 8.0 + place for place, name in enumerate("abcdefgh")}
    worse: Values = {name: value + 1.0 for name, value in base.items() if value is not None}
    item = examined(worse, base, margin="5%")
    assert conclude(item, 0.05, "inconclusive", 3).verdict == "inconclusive"
    assert "3 slices" in conclude(item, 0.05, "inconclusive", 3).reason
    assert conclude(item, 0.05, None).verdict == "fail"


def sides(values: dict[str, float | str | None], inapplicable: tuple[str, ...] = ()) -> Table:
    """A side with the reasons of what has no value, of which some do not apply."""
    lines = [
        Measurement.model_validate(
            {"case": case, "metric": "lse_d", "applies": case not in inapplicable}
            | ({"value": None, "error": value} if isinstance(value, str) else {"value": value})
        )
        for case, value in values.items()
    ]
    return Table("candidate", lines, list(values))


def test_a_case_to_which_the_metric_does_not_apply_is_none_of_its_cases() -> None:
    rule = Rule.model_validate({"metric": "lse_d", "max": 2.0, "margin": "5%"})
    ours = sides({"clip": 1.0, "photo": "no motion"}, ("photo",))
    theirs = sides({"clip": 1.0, "photo": "no motion"}, ("photo",))
    result = conclude(examine(rule, ours, theirs, margin_in_unit), 0.05, None)
    assert (result.verdict, result.n, result.candidate, result.baseline) == ("pass", 1, 1.0, 1.0)
    # a baseline of before this could be said has the reason alone
    old = sides({"clip": 1.0, "photo": "no motion"})
    result = conclude(examine(rule, ours, old, margin_in_unit), 0.05, None)
    assert (result.verdict, result.n, result.baseline) == ("pass", 1, 1.0)


def test_what_the_baseline_has_a_value_of_applies_and_a_lost_value_is_still_lost() -> None:
    rule = Rule.model_validate({"metric": "lse_d", "max": 2.0})
    ours = sides({"clip": 1.0, "photo": "no motion"}, ("photo",))
    gone = conclude(examine(rule, ours, sides({"clip": 1.0, "photo": 1.0}), margin_in_unit), 0.05, None)
    assert gone.verdict == "fail"
    assert "photo" in gone.reason
    lost = conclude(examine(rule, sides({"clip": 1.0, "photo": "no motion"}), None, margin_in_unit), 0.05, None)
    assert lost.verdict == "fail"
    none = conclude(examine(rule, sides({"photo": "no motion"}, ("photo",)), None, margin_in_unit), 0.05, None)
    assert (none.verdict, none.n) == ("fail", 0)
    assert "which applies to none of these cases: 'photo' (no motion)" in none.reason


@pytest.mark.parametrize("fields", [{"value": 1.0, "error": "why"}, {"value": None}])
def test_what_does_not_apply_has_no_value_and_a_reason(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not apply"):
        Measurement.model_validate({"case": "a", "metric": "lse_d", "applies": False} | fields)
    plain = Measurement.model_validate({"case": "a", "metric": "lse_d", "value": 1.0})
    assert "applies" not in plain.model_dump()


def test_a_case_has_one_line_of_a_metric_whether_it_applies_or_not() -> None:
    value = Measurement(case="a", metric="lse_d", value=1.0)
    nothing = Measurement(case="a", metric="lse_d", value=None, error="no motion", applies=False)
    for lines in ([value, nothing], [nothing, value], [nothing, nothing]):
        with pytest.raises(UsageError, match="has two values for the case 'a'"):
            Table("candidate", lines)


@pytest.mark.parametrize("bound", [{"max": 0.1}, {"worst": 0.1}])
def test_what_compares_with_the_released_model_stays_open_before_the_first_release(
    monkeypatch: pytest.MonkeyPatch, bound: dict[str, float]
) -> None:
    monkeypatch.setattr(rules, "needs_released", lambda name: name == "lse_d")
    result = judged({}, None, **bound)
    assert (result.verdict, result.not_compared, result.candidate) == ("pass", "rule", None)
    assert result.reason == "not compared: there is no baseline (first release)"
    assert judged({}, {"a": 0.0}, **bound).verdict == "fail", "later on a missing value is one"
    assert judged({"a": 0.2}, {"a": 0.0}, **bound).verdict == "fail"
    assert judged({"a": 0.1}, {"a": 0.2}, **bound).verdict == "pass"


def test_what_compares_with_the_released_model_is_held_to_its_bounds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The baseline's own value is of the release before it; a second release's baseline has none at all."""
    monkeypatch.setattr(rules, "needs_released", lambda name: name == "lse_d")
    for before in ({}, {"a": 0.01}):
        result = judged({"a": 0.05}, before, max=0.1)
        assert (result.verdict, result.not_compared) == ("pass", None)
        assert result.reason == "LSE-D is 0.05, as it must be ≤ 0.1"
        assert (result.baseline, result.change, result.interval) == (None, None, None)


@pytest.mark.parametrize("values", [[], [0.4]])
def test_too_few_resamples_are_as_good_as_none(values: list[float]) -> None:
    sides = []
    for value in (0.5, 0.9):
        resamples = {"cases": 30, "key": "k", "values": values}
        line = {"case": "*", "metric": "ece", "value": value, "resamples": resamples}
        sides.append(Table("either", [Measurement.model_validate(line)]))
    rule = Rule.model_validate({"metric": "ece", "margin": "5%"})
    result = conclude(examine(rule, sides[1], sides[0], margin_in_unit), 0.05, None)
    assert result.verdict == "fail"
    assert "too few resamples: held as it is" in result.reason
