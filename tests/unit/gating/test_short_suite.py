"""Which rules of a policy a quick run can answer."""

from __future__ import annotations

import pytest

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.policy import Policy, Rule
from penstock.gating.short_suite import LATER, asked, of_cases

LINES = [
    Measurement(case="one", metric="lse_d", value=8.0, slices=["smoke", "fast"]),
    Measurement(case="one", metric="sharpness", value=None, error="no face", slices=["smoke", "fast"]),
    Measurement(case="one", metric="lip_closure", value=None, error="no text", slices=["smoke", "fast"], applies=False),
    Measurement(case=WHOLE_SUITE, metric="fid", value=None, error="too few frames"),
    Measurement(case=WHOLE_SUITE, metric="environment", value=0.0),
]


def policy(*rules: Rule) -> Policy:
    return Policy(rules=list(rules))


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        (Rule(metric="lse_d", max=9.0), ""),
        (Rule(metric="lse_d", max=9.0, slice="fast"), ""),
        (Rule(metric="lse_d", max=9.0, slice="slow"), "none of the cases 'smoke' has the slice 'slow'"),
        (Rule(metric="sharpness", min=1.0), ""),
        (Rule(metric="lse_c", min=1.0), ""),
        (Rule(metric="fid", max=9.0), "a value of the whole suite"),
        (Rule(metric="environment", max=0.0), ""),
        (Rule(metric="page", min=1.0), LATER),
        (Rule(metric="load_p95_ms", max=100.0), LATER),
        (Rule(metric="preference", min=0.35), "nobody rates a pull request"),
        (Rule(metric="our_own", max=1.0), ""),
        (Rule(metric="lip_closure", min=0.2), "it applies to none of the cases 'smoke'"),
        (Rule(metric="wrongly_accepted", max=0.0), "none of the cases 'smoke' must be refused"),
    ],
)
def test_a_rule_is_left_out_for_what_was_not_tried_and_never_for_a_value_that_is_missing(rule: Rule, why: str) -> None:
    kept, left = asked(policy(rule), LINES, slice_name="smoke")
    assert (kept.rules, [one.why for one in left]) == (([], [why]) if why else ([rule], []))


def test_what_applies_to_one_case_is_asked() -> None:
    other = Measurement(case="two", metric="lip_closure", value=None, error="no face", slices=["smoke"])
    rules = [Rule(metric="lip_closure", min=0.2), Rule(metric="lip_closure", min=0.2, slice="fast")]
    kept, left = asked(policy(*rules), [*LINES, other], slice_name="smoke")
    assert (kept.rules, [one.slice for one in left]) == (rules[:1], ["fast"])


def test_over_the_whole_suite_what_applies_to_no_case_is_missing() -> None:
    rules = [Rule(metric="lip_closure", min=0.2), Rule(metric="wrongly_accepted", max=0.0)]
    assert asked(policy(*rules), LINES, slice_name="") == (policy(*rules), [])


def test_over_the_whole_suite_its_own_values_are_asked() -> None:
    rules = (Rule(metric="fid", max=9.0), Rule(metric="lse_d", max=9.0, slice="slow"), Rule(metric="page", min=1.0))
    kept, left = asked(policy(*rules), LINES, slice_name="")
    assert kept.rules == list(rules[:2])
    assert [one.metric for one in left] == ["page"]


def test_only_these_cases_are_compared_with() -> None:
    other = Measurement(case="two", metric="lse_d", value=1.0)
    assert of_cases([*LINES, other], ["one"]) == LINES
