"""A plan, and raters who answer it in a given way."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from penstock.ratings.kept import add_rating, now_text, open_plan
from penstock.ratings.records import Answer, RatedPair, Rating, RatingPlan
from penstock.ratings.turns import RaterTurn, other, turns
from penstock.store.store import Store

MODEL, RUN, BASELINE = "sonic-lite", "run-2", "run-1"
Says = Callable[[RaterTurn], Answer]


def pairs(count: int) -> list[RatedPair]:
    names = [f"c-{number}" for number in range(1, count + 1)]
    return [
        RatedPair(
            case=name,
            kind="video",
            candidate=f"outputs/{name}/output.mp4",
            released=f"outputs/{name}/output.mp4",
            released_run=BASELINE,
        )
        for name in names
    ]


def made_plan(store: Store, cases: int = 5, *, run: str = RUN, baseline: str = BASELINE) -> RatingPlan:
    return open_plan(store, MODEL, run, baseline, pairs(cases))


def prefers(candidate: bool) -> Says:
    """A careful rater: right in catch pairs, and always for one of the models."""

    def says(turn: RaterTurn) -> Answer:
        if turn.right is not None:
            return turn.right
        assert turn.candidate is not None
        return turn.candidate if candidate else other(turn.candidate)

    return says


def rating(turn: RaterTurn, rater: str, answer: Answer, reason: str = "") -> Rating:
    return turn.rating(rater, answer, reason=reason, time=now_text())


def rated(store: Store, plan: RatingPlan, rater: str, says: Says, only: Sequence[str] | None = None) -> None:
    """The rater answers all pairs (``only``: those of these kinds)."""
    for turn in turns(plan, rater):
        if only is None or turn.kind in only:
            assert add_rating(store, plan, turn.name, rating(turn, rater, says(turn)))
