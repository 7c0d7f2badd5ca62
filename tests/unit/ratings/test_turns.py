"""Lots: the same at every request, fair over raters, and catch pairs that catch."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ratings.made_ratings import BASELINE, MODEL, RUN, pairs

from penstock.ratings.counting import is_careful
from penstock.ratings.records import RatingPlan
from penstock.ratings.turns import CATCHES_AT_LEAST, lot, other, turns

SEED = "0123456789abcdef" * 2


def plan_of(cases: int, seed: str = SEED) -> RatingPlan:
    fixed = {"model": MODEL, "run_id": RUN, "baseline": BASELINE, "opened": "2026-11-27T10:00:00+00:00"}
    return RatingPlan.model_validate(fixed | {"seed": seed, "pairs": pairs(cases)})


@settings(max_examples=20)
@given(st.integers(1, 60), st.text("abcdefgh", min_size=1, max_size=8))
def test_every_case_once_and_catch_pairs_that_always_the_same_answer_fails(cases: int, rater: str) -> None:
    found = turns(plan_of(cases), rater)
    assert found == turns(plan_of(cases), rater)
    assert Counter(turn.pair.case for turn in found if turn.kind == "case") == Counter(
        pair.case for pair in pairs(cases)
    )
    assert len({turn.name for turn in found}) == len(found)
    catches = [turn for turn in found if turn.kind != "case"]
    assert len(catches) == max(CATCHES_AT_LEAST, -(-cases // 4))
    for answer in ("left", "right", "same"):
        right = sum(turn.right == answer for turn in catches)
        assert not is_careful(right, len(catches))
    looks = sum(turn.kind == "soft" for turn in catches)
    assert is_careful(looks, len(catches))  # one who never says "the same" does look
    assert all((turn.right is None) == (turn.kind == "case") == (turn.candidate is not None) for turn in found)


def test_sides_and_order_differ_from_rater_to_rater() -> None:
    plan = plan_of(20)
    raters = [f"rater-{number}" for number in range(50)]
    lefts = [turn.candidate == "left" for rater in raters for turn in turns(plan, rater) if turn.kind == "case"]
    assert sum(lefts) / len(lefts) == pytest.approx(0.5, abs=0.06)
    orders = {tuple(turn.name for turn in turns(plan, rater)) for rater in raters}
    assert len(orders) == len(raters)
    again = turns(plan_of(20, seed="f" * 32), "rater-0")
    assert [turn.candidate for turn in again] != [turn.candidate for turn in turns(plan, "rater-0")]


def test_a_lot_depends_on_all_its_words() -> None:
    assert lot("s", "a", "bc") != lot("s", "ab", "c")


def test_files_follow_the_side() -> None:
    for turn in turns(plan_of(5), "ann"):
        sides = {side: turn.file(side)[0] for side in ("left", "right")}
        if turn.candidate is None:
            assert sides == {"left": turn.of_candidate, "right": turn.of_candidate}
        else:
            assert sides == {turn.candidate: True, other(turn.candidate): False}


def test_a_catch_pair_shows_either_model_so_that_it_tells_nothing_of_its_case() -> None:
    plan = plan_of(20)
    catches = [turn for number in range(60) for turn in turns(plan, f"rater-{number}") if turn.kind != "case"]
    for kind in ("same", "soft"):
        shown = [turn.of_candidate for turn in catches if turn.kind == kind]
        assert sum(shown) / len(shown) == pytest.approx(0.5, abs=0.15)
