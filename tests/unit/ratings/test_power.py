"""What ratings can see: the rule's own decision, asked of made-up raters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.contract.models import Suite
from penstock.contract.policy import Policy, Rule
from penstock.ratings.power import WAYS, MadeUpRaters, RatingWay, chances, outcome, rating_power

PLAIN, LEANING = WAYS
ASKED = Rule(metric="preference", min=0.35, ratings=120)


def suite_of(cases: int, in_slice: int = 0) -> Suite:
    lines = [
        {"name": f"c-{n}", "inputs": {"image": "a.png"}, "slices": ["men"] if n < in_slice else []}
        for n in range(cases)
    ]
    return Suite.model_validate({"version": 1, "family": "matting", "cases": lines})


def test_a_rule_on_the_mere_share_blocks_29_percent_of_equal_models_with_30_ratings() -> None:
    """A sum of 30 coins: P(13 wins or fewer) = 0.292."""
    found = chances(MadeUpRaters(5, 10, 30, 0.5, PLAIN), Rule(metric="preference", min=0.45, ratings=30), 0.05, 3000)
    assert found.below == pytest.approx(0.292, abs=0.03)
    assert found.fails < 0.03  # the interval blocks hardly any


def test_chances() -> None:
    equal, bound, worse = (
        chances(MadeUpRaters(12, 10, 120, share, PLAIN), ASKED, 0.05, 200) for share in (0.5, 0.35, 0.2)
    )
    assert equal.passes + equal.inconclusive + equal.fails == pytest.approx(1)
    assert equal.passes > 0.8
    assert bound.passes < 0.1
    assert worse.fails > 0.9
    again = chances(MadeUpRaters(12, 10, 120, 0.5, PLAIN), ASKED, 0.05, 200)
    assert again == equal


@settings(max_examples=25)
@given(st.integers(5, 12), st.integers(2, 12), st.floats(0, 1), st.floats(0.05, 0.95), st.sampled_from(WAYS))
def test_each_rater_answers_as_many(raters: int, cases: int, part: float, share: float, way: RatingWay) -> None:
    ratings = max(raters, round(part * raters * cases))
    scores = MadeUpRaters(raters, cases, ratings, share, way).answers(np.random.default_rng(1), 3)
    assert scores.shape == (3, raters, cases)
    given_by = np.isfinite(scores).sum(axis=2)
    assert (given_by.sum(axis=1) == ratings).all()
    assert given_by.max() - given_by.min() <= 1
    assert set(np.unique(scores[np.isfinite(scores)])) <= {0.0, 0.5, 1.0}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("share", [0.2, 0.35, 0.5])
def test_the_share_is_the_true_one(share: float, way: RatingWay) -> None:
    scores = MadeUpRaters(20, 20, 400, share, way).answers(np.random.default_rng(2), 200)
    assert scores.mean() == pytest.approx(share, abs=0.02)
    assert (scores == 0.5).mean() == pytest.approx(way.same, abs=0.03)


def test_it_asks_the_rule() -> None:
    assert outcome(np.ones((5, 4)), ASKED, 0.05) == "pass"
    assert outcome(np.ones((4, 5)), ASKED, 0.05) == "inconclusive"  # fewer than five people never pass
    assert outcome(np.zeros((5, 4)), ASKED, 0.05) == "fail"
    assert outcome(np.where(np.arange(20).reshape(5, 4) % 2, 1.0, np.nan), ASKED, 0.05) == "pass"


def test_of_a_policy() -> None:
    rules = [Rule(metric="latency", max=1.0), ASKED.model_copy(update={"ratings": 40})]
    (found,) = rating_power(Policy(rules=rules), suite_of(8), runs=40)
    assert (found.place, found.cases, found.ratings, found.raters) == (1, 8, 40, 5)
    assert found.worse == pytest.approx(0.2)
    plain, leaning = found.ways
    assert plain.takes is not None
    assert 40 < plain.takes < 250
    assert leaning.takes is None or leaning.takes > plain.takes
    assert plain.equal.passes < 0.75


def test_of_what_no_number_of_ratings_settles() -> None:
    rules = [ASKED.model_copy(update={"slice": "men"}), ASKED.model_copy(update={"slice": "women"})]
    one, none = rating_power(Policy(rules=rules), suite_of(3, in_slice=1), runs=20)
    assert (one.cases, one.raters, one.ways[0].takes, one.ways[0].equal.passes) == (1, 120, None, 0.0)
    assert (none.cases, none.ways) == (0, [])
    (better,) = rating_power(Policy(rules=[ASKED.model_copy(update={"min": 0.6})]), suite_of(3), runs=20)
    assert [way.takes for way in better.ways] == [None, None]  # an equal model is not meant to pass
    assert better.worse == pytest.approx(0.45)
