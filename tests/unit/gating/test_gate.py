"""From measurements and rules to a verdict."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.gating.gate_verdicts import Values, judged, lines, verdict

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.contract.policy import Policy
from penstock.foundation.errors import UsageError
from penstock.gating.gate import gate, headline, overall


def test_the_anecdote_fid_better_and_lse_d_17_per_cent_worse_is_stopped() -> None:
    candidate = lines("lse_d", {"a": 9.21, "b": 9.31}) + lines("fid", {"*": 40.1})
    baseline = lines("lse_d", {"a": 7.90, "b": 7.92}) + lines("fid", {"*": 41.2})
    found = verdict(candidate, baseline, {"metric": "lse_d", "margin": "5%"}, {"metric": "fid", "margin": "5%"})
    assert found.verdict == "fail"
    lse, fid = found.rules
    assert lse.reason == "LSE-D rose from 7.91 to 9.26 (+17.1 %), more than the allowed +5 %"
    assert (lse.baseline, lse.candidate, lse.change) == pytest.approx((7.91, 9.26, 1.35))
    assert (lse.limit, lse.n) == ("no more than +5 % over the baseline", 2)
    assert lse.interval == pytest.approx((1.35 - 6.3138 * 0.04, 1.35 + 6.3138 * 0.04), abs=1e-5)
    assert fid.reason == (
        "FID fell from 41.2 to 40.1 (-2.7 %), which is better "
        "(one value for the whole suite, without resamples: held as it is)"
    )
    assert (found.baseline, found.candidate, found.level) == ("old", "new", 0.05)


@pytest.mark.parametrize(
    ("metric", "candidate", "baseline", "rule", "wanted", "reason"),
    [
        ("lse_d", 7.95, 7.9, {"margin": "5%"}, "pass", "LSE-D rose from 7.9 to 7.95 (+0.6 %), within the allowed +5 %"),
        ("lse_c", 4.0, 5.0, {"margin": "5%"}, "fail", "LSE-C fell from 5 to 4 (-20 %), more than the allowed -5 %"),
        ("lse_c", 6.0, 5.0, {"margin": "5%"}, "pass", "LSE-C rose from 5 to 6 (+20 %), which is better"),
        (
            "latency",
            1.5,
            1.2,
            {"margin": 0.2},
            "fail",
            "latency rose from 1.2 s to 1.5 s (+0.3 s), more than the allowed +0.2 s",
        ),
        (
            "latency",
            1.4,
            1.2,
            {"margin": 0.2},
            "pass",
            "latency rose from 1.2 s to 1.4 s (+0.2 s), within the allowed +0.2 s",
        ),
        ("lse_d", 5.0, 5.0, {"margin": 0}, "pass", "LSE-D stayed at 5"),
        (
            "lse_d",
            5.000001,
            5.0,
            {"margin": 0},
            "fail",
            "LSE-D rose from 5 to 5.000001 (+0.000001), more than the allowed +0",
        ),
        ("lse_d", 5.2501, 5.0, {"margin": "5%"}, "fail", "(+5.002 %), more than the allowed +5 %"),
        (
            "duration_error",
            0.1,
            0.0,
            {"margin": "50%"},
            "fail",
            "(+0.1 s), more than the allowed +50 % of a baseline that is 0",
        ),
        ("duration_error", 0.0, 0.0, {"margin": "50%"}, "pass", "duration error stayed at 0 s"),
        ("lse_d", 9.26, 7.9, {"max": 9.0}, "fail", "LSE-D is 9.26, above the maximum of 9"),
        ("lse_d", 9.0, 7.9, {"max": 9.0}, "pass", "LSE-D is 9, as it must be ≤ 9; LSE-D rose from 7.9 to 9 (+13.9 %)"),
        ("av_offset_abs", 1.4, 1.0, {"max": 1}, "fail", "|A/V offset| is 1.4 frames, above the maximum of 1 frames"),
        ("lse_c", 0.5, 0.6, {"min": 0.9}, "fail", "LSE-C is 0.5, below the minimum of 0.9"),
        ("own", 2.0, 1.0, {"margin": 0.5, "direction": "higher"}, "pass", "own rose from 1 to 2 (+1), which is better"),
        (
            "own",
            0.0,
            1.0,
            {"margin": 0.5, "direction": "higher"},
            "fail",
            "own fell from 1 to 0 (-1), more than the allowed -0.5",
        ),
        (
            "own",
            -1.0,
            -2.0,
            {"margin": "10%", "direction": "lower"},
            "fail",
            "own rose from -2 to -1 (+50 %), more than the allowed +10 %",
        ),
    ],
)
def test_rules(metric: str, candidate: float, baseline: float, rule: dict[str, Any], wanted: str, reason: str) -> None:
    found = judged(metric, dict.fromkeys("ab", candidate), dict.fromkeys("ab", baseline), **rule)
    assert found.verdict == wanted
    assert reason in found.reason


def test_both_bounds_and_the_margin_speak() -> None:
    found = judged("lse_d", {"a": 9.5, "b": 9.5}, {"a": 8.0, "b": 8.0}, min=1.0, max=9.0, margin=0.5)
    assert found.limit == "≥ 1, ≤ 9, no more than +0.5 over the baseline"
    assert found.reason.count(";") == 1
    assert judged("lse_d", {"a": 8.0}, {"a": 8.0}, min=1.0, max=9.0).reason.startswith(
        "LSE-D is 8, as it must be ≥ 1 and ≤ 9"
    )


def test_a_first_release_is_held_by_its_bounds_and_says_so() -> None:
    found = verdict(
        lines("lse_d", {"a": 8.0}),
        None,
        {"metric": "lse_d", "margin": "5%"},
        {"metric": "lse_d", "max": 9.0, "margin": "5%"},
        {"metric": "lse_d", "max": 7.0, "margin": "5%"},
    )
    assert found.baseline is None
    assert [rule.verdict for rule in found.rules] == ["pass", "pass", "fail"]
    assert [rule.not_compared for rule in found.rules] == ["rule", "margin", "margin"]
    assert found.rules[0].reason == "not compared: there is no baseline (first release)"
    assert found.rules[1].reason == (
        "LSE-D is 8, as it must be ≤ 9; margin not compared: there is no baseline (first release)"
    )
    assert all(rule.baseline is rule.change is None for rule in found.rules)


@pytest.mark.parametrize(
    ("candidate", "baseline", "reason"),
    [
        (
            {"a": 7.0, "b": None},
            {"a": 7.0, "b": 7.0},
            "no value of LSE-D for 1 of 2 cases: 'b' (the model answered 500)",
        ),
        ({"a": 7.0}, {"a": 7.0, "b": 7.0}, "missing: the candidate has no value of LSE-D for 'b', the baseline has"),
        (
            {"a": 7.0, "b": 7.0},
            {"a": 7.0},
            "the baseline has no value of LSE-D for 'b'; measure it again with this suite",
        ),
        ({"a": 7.0}, {"a": None}, "the baseline has no value of LSE-D for 'a' (the model answered 500)"),
        ({"a": 7.0}, {}, "the baseline has no value of LSE-D; measure it again with this policy"),
        ({}, {"a": 7.0}, "missing: the candidate has no value of LSE-D"),
        ({"a": 1e200}, {"a": 7.0}, "no value of LSE-D for 1 of 1 case: 'a' (1e+200 is not a measurement)"),
    ],
)
def test_what_is_missing_fails(candidate: Values, baseline: Values, reason: str) -> None:
    found = judged("lse_d", candidate, baseline, margin="50%")
    assert (found.verdict, found.change) == ("fail", None)
    assert found.reason == reason


def test_a_bound_alone_needs_no_baseline_but_every_case() -> None:
    found = judged("lse_d", {"a": 7.0, "b": 7.0}, {"a": 7.0}, max=9.0)
    assert found.verdict == "pass"
    assert "not compared: the baseline has no value of LSE-D for 'b'" in found.reason
    assert judged("lse_d", {"a": 7.0}, {"a": 7.0, "b": 7.0}, max=9.0).verdict == "fail"


def test_a_case_that_was_put_to_the_model_may_not_be_left_out() -> None:
    candidate = (
        lines("lse_d", {"a": 7.0}, slices={"a": ["s"]})
        + lines("latency", {"a": 1.0, "b": 1.0})
        + lines("fid", {"*": 40.0})
    )
    rules = [
        {"metric": "lse_d", "max": 9.0},
        {"metric": "lse_d", "slice": "s", "max": 9.0},
        {"metric": "fid", "max": 50.0},
    ]
    found = verdict(candidate, None, *rules, cases=("a", "b"))
    assert [rule.verdict for rule in found.rules] == ["fail", "pass", "pass"]
    assert found.rules[0].reason == "no value of LSE-D for 1 of 2 cases: 'b' (it was not measured)"
    # Of 'c' nothing is known, so that it may be of the slice.
    assert verdict(candidate, None, *rules, cases=("a", "b", "c")).rules[1].verdict == "fail"


def test_many_lost_cases_are_counted_and_three_named() -> None:
    found = judged("lse_d", dict.fromkeys("gfedcba"), None, max=9.0)
    assert "for 7 of 7 cases: 'a' (" in found.reason
    assert found.reason.endswith("and 4 more")


def test_slices() -> None:
    slices = {"a": ["hair"], "b": ["hair"], "c": [], "d": []}
    candidate = lines("lse_d", {"a": 9.0, "b": 9.1, "c": 5.0, "d": 4.9}, slices=slices)
    baseline = lines("lse_d", dict.fromkeys("abcd", 7.0), slices=slices)
    whole, hair, bald = verdict(
        candidate,
        baseline,
        {"metric": "lse_d", "margin": "50%"},
        {"metric": "lse_d", "slice": "hair", "margin": "5%"},
        {"metric": "lse_d", "slice": "bald", "margin": "5%"},
    ).rules
    assert (whole.verdict, whole.n, whole.change) == ("pass", 4, pytest.approx(0.0, abs=1e-12))
    assert (hair.verdict, hair.n, hair.slice) == ("fail", 2, "hair")
    assert (bald.verdict, bald.reason) == ("fail", "missing: the candidate has no value of LSE-D in the slice 'bald'")


def test_a_rule_that_warns_is_shown_and_stops_nothing() -> None:
    found = verdict(
        lines("lse_d", {"a": 9.0}) + lines("fid", {"*": 1.0}),
        None,
        {"metric": "lse_d", "max": 8.0, "severity": "warn"},
        {"metric": "fid", "max": 8.0},
    )
    assert found.verdict == "pass"
    assert [(rule.verdict, rule.severity) for rule in found.rules] == [("fail", "warn"), ("pass", "block")]
    assert headline(found) == "pass (first release): 1 rule holds, 1 does not hold and only warns"


def test_overall_and_headline() -> None:
    rule = judged("lse_d", {"a": 9.0}, None, max=10.0)
    other = {
        outcome: rule.model_copy(update={"verdict": outcome, "reason": outcome})
        for outcome in ("pass", "fail", "inconclusive")
    }
    assert overall([other["pass"]]) == "pass"
    assert overall([other["pass"], other["inconclusive"]]) == "inconclusive"
    assert overall([other["inconclusive"], other["fail"], other["fail"]]) == "fail"
    found = Verdict(verdict="fail", level=0.05, rules=[other["pass"], other["fail"], other["fail"]])
    assert headline(found) == "fail: fail (and 1 more)"


@pytest.mark.parametrize(
    ("candidate", "baseline", "rule", "message"),
    [
        (lines("lse_d", {"a": 1.0}) * 2, None, {}, "candidate: 'lse_d' has two values for the case 'a'"),
        (
            lines("lse_d", {"a": 1.0, "*": 1.0}),
            None,
            {},
            r"'lse_d' has a value for the whole suite \('\*'\) and values for single",
        ),
        (
            lines("lse_d", {"a": 1.0}, extractor="x@1") + lines("lse_d", {"b": 1.0}, extractor="y@2"),
            None,
            {},
            "through y@2 in the candidate and through x@1 in the candidate",
        ),
        (
            lines("lse_d", {"a": 1.0}, extractor="x@1"),
            lines("lse_d", {"a": 1.0}, extractor="x@2"),
            {},
            "through x@2 in the baseline and through x@1 in the candidate. Measure both again",
        ),
        (lines("lse_d", {"a": 1.0}, extractor="x@1"), lines("lse_d", {"a": 1.0}), {}, "no extractor in the baseline"),
        (
            lines("lse_d", {"a": 1.0}),
            None,
            {"metric": "lsed", "margin": 1},
            r"policy.rules\[0\].metric: unknown metric 'lsed'. Did you mean 'lse_d'",
        ),
        (lines("lse_d", {"a": 1.0}), None, {"direction": "higher"}, "lower is better"),
        (lines("av_offset", {"a": 1.0}), None, {"metric": "av_offset", "margin": 1}, "Gate 'av_offset_abs' instead"),
    ],
)
def test_what_cannot_be_compared_is_bad_usage(
    candidate: list[Measurement], baseline: list[Measurement] | None, rule: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        verdict(candidate, baseline, {"metric": "lse_d", **({} if "margin" in rule else {"max": 9.0}), **rule})


def test_a_lost_value_has_no_extractor_to_disagree() -> None:
    candidate = lines("lse_d", {"a": 1.0}, extractor="x@1") + lines("lse_d", {"b": None})
    assert verdict(candidate, None, {"metric": "lse_d", "max": 9.0}).rules[0].verdict == "fail"


def test_rounding_of_binary_fractions_is_forgiven_and_no_more() -> None:
    # 0.1 + 0.2 is above 0.3, by 4e-17
    assert judged("latency", {"a": 0.1 + 0.2, "b": 0.3}, {"a": 0.1, "b": 0.1}, margin=0.2).verdict == "pass"
    assert judged("latency", {"a": 0.1 + 0.2}, None, max=0.3).verdict == "pass"
    assert judged("latency", dict.fromkeys("ab", 0.3 + 1e-9), dict.fromkeys("ab", 0.1), margin=0.2).verdict == "fail"


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
CASES = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6)
MARGINS = st.one_of(st.floats(0, 100), st.integers(0, 300).map(lambda share: f"{share}%"))


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(CASES, MARGINS, st.sampled_from(["lower", "higher"]), st.integers(0, 5), st.floats(0, 1e6), st.none() | NUMBERS)
def test_a_worse_candidate_is_never_let_through(
    pairs: list[tuple[float, float]], margin: Any, direction: str, which: int, worse: float, bound: float | None
) -> None:
    rule: dict[str, Any] = {"metric": "own", "direction": direction, "margin": margin}
    if bound is not None:
        rule["max" if direction == "lower" else "min"] = bound
    names = [f"c{index}" for index in range(len(pairs))]
    baseline: Values = {name: pair[0] for name, pair in zip(names, pairs, strict=True)}
    candidate: Values = {name: pair[1] for name, pair in zip(names, pairs, strict=True)}
    case = names[which % len(names)]
    worsened = candidate | {case: (candidate[case] or 0.0) + (worse if direction == "lower" else -worse)}
    before = verdict(lines("own", candidate), lines("own", baseline), rule).verdict
    after = verdict(lines("own", worsened), lines("own", baseline), rule).verdict
    assert (before, after) != ("fail", "pass")
    lost = verdict(lines("own", candidate | {case: None}), lines("own", baseline), rule).verdict
    assert lost == "fail"


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(CASES, MARGINS, st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(
    pairs: list[tuple[float, float]], margin: Any, order: random.Random
) -> None:
    baseline = lines("lse_d", {f"c{index}": pair[0] for index, pair in enumerate(pairs)})
    candidate = lines("lse_d", {f"c{index}": pair[1] for index, pair in enumerate(pairs)})
    rule = {"metric": "lse_d", "margin": margin, "max": 3.0}
    first = verdict(candidate, baseline, rule)
    order.shuffle(candidate)
    order.shuffle(baseline)
    assert verdict(candidate, baseline, rule) == first


@settings(max_examples=60, deadline=None)
@given(CASES, MARGINS)
def test_what_is_unchanged_passes_every_margin(pairs: list[tuple[float, float]], margin: Any) -> None:
    same = lines("lse_d", {f"c{index}": pair[0] for index, pair in enumerate(pairs)})
    found = verdict(same, same, {"metric": "lse_d", "margin": margin}).rules[0]
    assert (found.verdict, found.change) == ("pass", 0.0)


def test_cases_that_must_be_refused_have_one_metric_and_are_missed_in_no_other() -> None:
    policy = Policy.model_validate(
        {"rules": [{"metric": "latency", "max": 1.0}, {"metric": "wrongly_accepted", "max": 0}]}
    )

    def judged_with(*accepted: float | None) -> list[RuleResult]:
        measured = [Measurement(case=name, metric="latency", value=0.5) for name in "abc"]
        measured += [
            Measurement(case=f"r{index}", metric="wrongly_accepted", value=value, error="it crashed")
            for index, value in enumerate(accepted)
        ]
        cases = [*"abc", *(f"r{index}" for index in range(len(accepted)))]
        return gate(measured, None, policy, candidate_name="c", baseline_name=None, cases=cases).rules

    assert [(rule.verdict, rule.n) for rule in judged_with(0.0, 0.0)] == [("pass", 3), ("pass", 2)]
    assert [rule.verdict for rule in judged_with(0.0, 1.0)] == ["pass", "fail"]
    lost = judged_with(0.0, None)
    assert [rule.verdict for rule in lost] == ["pass", "fail"]
    assert "it crashed" in lost[1].reason
    assert [rule.verdict for rule in judged_with()] == ["pass", "fail"]  # a rule, and nothing that it looks at


def floors(metric: str, values: Values, **floor: float) -> list[Measurement]:
    return [line.model_copy(update={"floor": floor.get(line.case)}) for line in lines(metric, values)]


def test_a_margin_may_count_how_far_references_lie_apart() -> None:
    rule = {"metric": "sad", "margin": "1.5 floors"}
    old = lines("sad", {"a": 5.0, "b": 7.0, "c": 6.0})
    new = floors("sad", {"a": 5.2, "b": 7.2, "c": 6.2}, a=0.1, b=0.3)  # of c there is one reference
    (passed,) = verdict(new, old, rule).rules
    assert (passed.verdict, passed.margin, passed.reference_floor) == ("pass", pytest.approx(0.3), pytest.approx(0.2))
    assert passed.limit == "no more than +1.5 floors over the baseline"
    (failed,) = verdict(floors("sad", {"a": 5.2, "b": 7.2, "c": 6.2}, a=0.1), old, rule).rules
    assert failed.verdict == "fail"
    assert "more than the allowed +0.15" in failed.reason


def test_the_floor_is_the_slices_own_and_the_baselines_where_the_candidate_has_none() -> None:
    sliced = [
        line.model_copy(update={"slices": ["hair"] * (line.case == "a")}) for line in lines("sad", {"a": 1, "b": 1})
    ]
    new = [line.model_copy(update={"floor": 0.5 if line.case == "a" else 3.0}) for line in sliced]
    rule = {"metric": "sad", "slice": "hair", "margin": "1 floor"}
    assert verdict(new, sliced, rule).rules[0].margin == 0.5
    assert verdict(sliced, new, rule).rules[0].margin == 0.5
    with pytest.raises(UsageError, match="no case with the slice 'hair' has several references"):
        verdict(sliced, sliced, rule)


def test_a_first_release_has_no_margin_in_floors_to_hold() -> None:
    (rule,) = verdict(lines("sad", {"a": 1.0}), None, {"metric": "sad", "margin": "1 floor"}).rules
    assert (rule.verdict, rule.not_compared, rule.margin) == ("pass", "rule", None)
