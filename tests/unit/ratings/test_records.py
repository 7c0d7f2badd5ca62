"""Limits of what is kept."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.foundation.errors import UsageError
from penstock.ratings.records import Rating, RatingPlan, pair_name, ratings_root

GOOD: dict[str, Any] = {
    "rater": "ann",
    "case": "größe / 1",
    "kind": "case",
    "candidate": "left",
    "answer": "right",
    "time": "2026-11-27T10:00:00+00:00",
}


def test_scores() -> None:
    assert [Rating.model_validate(GOOD | {"answer": a}).score for a in ("left", "right", "same")] == [1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    "wrong",
    [{"rater": "../ann"}, {"rater": ""}, {"answer": "both"}, {"reason": "x" * 501}, {"case": ""}, {"kind": "other"}],
)
def test_what_is_no_rating(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rating.model_validate(GOOD | wrong)


def test_a_plan_has_each_case_once() -> None:
    pair = {"case": "a", "kind": "image", "candidate": "x", "released": "y", "released_run": "r"}
    fixed = {"model": "m", "run_id": "r", "baseline": "b", "seed": "0" * 32, "opened": ""}
    assert RatingPlan.model_validate(fixed | {"pairs": [pair]}).pairs[0].kind == "image"
    with pytest.raises(ValidationError, match="two pairs"):
        RatingPlan.model_validate(fixed | {"pairs": [pair, pair]})


def test_names_in_the_store() -> None:
    assert ratings_root("m", "r") == "ratings/m/r"
    with pytest.raises(UsageError):
        ratings_root("m", "../r")
    assert pair_name("../../evil").startswith("case-")
    assert pair_name("a") != pair_name("b")
