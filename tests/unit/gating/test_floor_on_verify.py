"""What of the platform's floor a pull request is held to."""

from __future__ import annotations

from typing import Any

from penstock.bundle.models import Measurement
from penstock.contract.floor import PolicyFloor
from penstock.gating.floor import Floor
from penstock.gating.floor_on_verify import floor_on_verify
from penstock.gating.short_suite import LATER

LINES = [Measurement(case="one", metric="lse_d", value=8.0, slices=["smoke"])]


def floor(*rules: dict[str, Any], **more: Any) -> Floor:
    return Floor(PolicyFloor.model_validate({"rules": list(rules)} | more), "0" * 64)


def test_over_a_slice_what_it_can_answer_and_no_number_of_cases() -> None:
    rules = ({"metric": "lse_d", "max": 9.0}, {"metric": "fid", "max": 50.0}, {"metric": "page", "min": 1.0})
    found = floor_on_verify(floor(*rules, min_cases=20, level=0.01), LINES, slice_name="smoke")
    assert found.floor is not None
    assert [(rule.metric, rule.max) for rule in found.floor.rules.rules] == [("lse_d", 9.0)]
    assert (found.floor.rules.min_cases, found.floor.rules.level) == (1, 0.01)
    assert {(one.metric, one.why) for one in found.left} == {
        ("fid", "the platform's floor: a value of the whole suite"),
        ("page", f"the platform's floor: {LATER}"),
        ("lse_d", "the platform's floor: at least 20 cases"),
    }


def test_a_rules_own_number_of_cases_is_left_out_too() -> None:
    one = {"metric": "lse_d", "max": 9.0, "min_cases": 5}
    found = floor_on_verify(floor(one), LINES, slice_name="smoke")
    assert found.floor is not None
    assert found.floor.rules.rules[0].min_cases is None
    assert [left.why for left in found.left] == ["the platform's floor: at least 5 cases"]


def test_over_the_whole_suite_the_number_of_cases_is_asked() -> None:
    whole = floor({"metric": "lse_d", "max": 9.0, "min_cases": 5}, min_cases=20)
    found = floor_on_verify(whole, LINES, slice_name="")
    assert found.floor is not None
    assert found.floor.rules == whole.rules
    assert found.left == []


def test_a_metric_that_the_suite_does_not_measure_is_asked_all_the_same() -> None:
    found = floor_on_verify(floor({"metric": "lip_closure", "min": 0.2}), LINES, slice_name="smoke")
    assert found.floor is not None, "a policy that names no network is no way out"


def test_where_nothing_can_be_asked_all_of_it_is_named() -> None:
    found = floor_on_verify(floor({"metric": "fid", "max": 50.0}), LINES, slice_name="smoke")
    assert (found.floor, [one.metric for one in found.left]) == (None, ["fid"])
