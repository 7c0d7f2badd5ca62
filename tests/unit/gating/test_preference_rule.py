"""The rule about ratings waits for them, and then its interval decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from penstock.bundle.estimates import RatingCount, StandardError
from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.bundle.verdict_record import RuleResult
from penstock.contract.policy import RATINGS_WANTED, Policy, Rule
from penstock.gating.gate import gate

ASKED = Rule(metric="preference", min=0.35, ratings=40)


def judged(
    share: float | None, error: float | None = 0.05, rule: Rule = ASKED, *, baseline: bool = True, **count: Any
) -> RuleResult:
    counted = RatingCount.model_validate({"counted": 40, "raters": 8, "cases": 5} | count)
    line = Measurement(
        case=WHOLE_SUITE,
        metric="preference",
        value=share,
        standard_error=StandardError(error=error, freedom=11) if error is not None else None,
        ratings=counted,
    )
    verdict = gate(
        [line],
        [] if baseline else None,
        Policy(rules=[rule]),
        candidate_name="b",
        baseline_name="a" if baseline else None,
    )
    assert verdict.verdict == verdict.rules[0].verdict
    return verdict.rules[0]


def test_the_interval_decides() -> None:
    assert judged(0.50).verdict == "pass"
    assert judged(0.50).reason == (
        "preference is 0.5 of 40 ratings by 8 people (90 % interval 0.41 to 0.59), as it must be ≥ 0.35"
    )
    open_one = judged(0.40)
    assert open_one.verdict == "inconclusive"
    assert open_one.needed is not None
    assert "ratings would settle it" in open_one.reason
    assert judged(0.30).verdict == "inconclusive"
    assert judged(0.20).verdict == "fail"
    assert (judged(0.5).candidate, judged(0.5).n, judged(0.5).ratings_wanted) == (0.5, 40, 40)
    assert judged(0.5).change is judged(0.5).interval is None


def test_fewer_than_five_people_can_stop_a_release_and_not_pass_it() -> None:
    found = judged(0.9, raters=4)
    assert (found.verdict, found.reason) == ("inconclusive", "ratings of 4 of at least 5 people")
    assert judged(0.9, raters=5).verdict == "pass"
    assert judged(0.1, raters=4).verdict == "fail"


def test_it_waits() -> None:
    found = judged(0.9, counted=14)
    assert (found.verdict, found.reason) == ("inconclusive", "14 of 40 ratings")
    assert judged(0.0, counted=14).verdict == "inconclusive"
    more = judged(0.9, counted=14, waiting=3, disqualified=1, elsewhere=2).reason
    assert more == (
        "14 of 40 ratings (3 more of people with too few catch pairs answered, disqualified: 1, "
        "2 compare with another release)"
    )


@given(st.floats(0, 1), st.integers(0, 39))
def test_closed_early_is_never_a_pass(share: float, counted: int) -> None:
    assert judged(share, counted=counted, closed=True).verdict != "pass"


def test_closed_early_can_be_a_fail() -> None:
    assert judged(0.1, counted=14, closed=True).verdict == "fail"
    assert judged(0.9, counted=14, closed=True).reason == "14 of 40 ratings, and nobody rates any more"


def test_without_a_line_there_are_none() -> None:
    verdict = gate([], [], Policy(rules=[ASKED]), candidate_name="b", baseline_name="a")
    assert (verdict.verdict, verdict.rules[0].reason) == ("inconclusive", "0 of 40 ratings")


def test_a_first_release_has_nothing_to_be_rated_against() -> None:
    found = judged(None, baseline=False)
    assert (found.verdict, found.not_compared) == ("pass", "rule")


def test_one_rater_is_not_enough() -> None:
    found = judged(0.9, None, raters=1)
    assert (found.verdict, found.reason) == (
        "inconclusive",
        "all ratings are of one rater: at least two are needed",
    )


def test_all_the_same_answer_needs_no_interval() -> None:
    assert judged(0.5, 0.0).verdict == "pass"
    assert judged(0.0, 0.0).verdict == "fail"


def test_the_rule_itself() -> None:
    assert Rule(metric="preference", min=0.35).ratings_wanted == RATINGS_WANTED
    assert Rule(metric="latency", max=1).ratings_wanted is None
    for wrong in (
        {"metric": "preference", "max": 0.5},
        {"metric": "preference", "min": 0.0},
        {"metric": "preference", "min": 0.35, "margin": 0.1},
        {"metric": "preference", "min": 0.35, "ratings": 5},
        {"metric": "latency", "max": 1.0, "ratings": 40},
    ):
        with pytest.raises(ValidationError):
            Rule.model_validate(wrong)


def line(share: float, slice_name: str | None = None, *, error: float = 0.05, counted: int = 40) -> Measurement:
    return Measurement(
        case=WHOLE_SUITE,
        metric="preference",
        slice=slice_name,
        value=share,
        standard_error=StandardError(error=error, freedom=11),
        ratings=RatingCount(counted=counted, raters=8, cases=5),
    )


def of_slices(lines: list[Measurement], *names: str) -> list[RuleResult]:
    policy = Policy(rules=[ASKED.model_copy(update={"slice": name}) for name in names])
    return gate(lines, [], policy, candidate_name="b", baseline_name="a").rules


def test_a_slice_has_a_share_of_its_own() -> None:
    lines = [line(0.5), line(0.1, "men"), line(0.6, "women", counted=12)]
    men, women, dark = of_slices(lines, "men", "women", "dark")
    assert (men.slice, men.verdict, men.candidate) == ("men", "fail", 0.1)
    assert (women.verdict, women.reason) == ("inconclusive", "12 of 40 ratings")
    assert (dark.verdict, dark.reason) == ("inconclusive", "0 of 40 ratings")


def test_slices_are_judged_together() -> None:
    """p = 0.03 of "it is below": enough alone, and not beside another slice."""
    error = (0.35 - 0.25) / 2.1
    lines = [line(0.5), line(0.25, "men", error=error), line(0.42, "women")]
    assert of_slices(lines, "men")[0].verdict == "fail"
    men, women = of_slices(lines, "men", "women")
    assert (men.verdict, women.verdict) == ("inconclusive", "inconclusive")
    assert "(Holm over 2 slices)" in men.reason
