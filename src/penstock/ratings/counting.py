"""Which raters count, and what their ratings come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from penstock.bundle.estimates import RatingCount, StandardError
from penstock.bundle.models import WHOLE_SUITE, Measurement, Run
from penstock.families.engine_metrics import PREFERENCE_METRIC
from penstock.ratings.kept import KeptRatings, rated_run, read_ratings
from penstock.ratings.preference import agreement, win_share
from penstock.ratings.records import CountedRatings, RaterRecord, Rating
from penstock.ratings.turns import CATCHES_AT_LEAST
from penstock.store.store import Store

RIGHT_SHARE = (3, 5)
"""Three of five of the catch pairs that a rater has answered: with fewer right, none of the rater's ratings counts."""


def raters_of(ratings: Iterable[Rating]) -> list[RaterRecord]:
    """What becomes of each rater, sorted by name.

    Who has answered fewer than three catch pairs waits; who has fewer than three of five right is disqualified.
    A rater who looks, and always sees a difference, is right in the blurred ones, which are enough.
    """
    by_rater: dict[str, list[Rating]] = {}
    for rating in ratings:
        by_rater.setdefault(rating.rater, []).append(rating)
    found = []
    for rater, given in sorted(by_rater.items()):
        catches = [rating for rating in given if rating.kind != "case"]
        right = sum(rating.answer == rating.right for rating in catches)
        waits = len(catches) < CATCHES_AT_LEAST
        stands = is_careful(right, len(catches))
        found.append(
            RaterRecord(
                rater=rater,
                state="waits" if waits else "counts" if stands else "disqualified",
                ratings=len(given) - len(catches),
                catches=len(catches),
                right=right,
            )
        )
    return found


def is_careful(right: int, catches: int) -> bool:
    """Whether so many right answers to so many catch pairs are enough."""
    part, of = RIGHT_SHARE
    return of * right >= part * catches


def count(
    kept: KeptRatings, *, rated_run_id: str, baseline: str, slices: Mapping[str, Iterable[str]] | None = None
) -> tuple[CountedRatings, list[Measurement]]:
    """What the ratings come to, and the measurements of it: of all cases, then of each slice.

    Args:
        kept: what the store has.
        rated_run_id: under which run.
        baseline: run id of the release that the candidate is compared with now. Ratings of a comparison with another
            say nothing of this one, and none of them counts.
        slices: case → its slices; cases without any may be absent.
    """
    plan = kept.plan
    is_of_another = plan is not None and plan.baseline != baseline
    raters = raters_of(kept.ratings)
    of_case = {case: sorted(names) for case, names in sorted((slices or {}).items()) if names}
    rated = [rating for rating in kept.ratings if rating.kind == "case"]
    whole = _share(rated, raters, is_of_another=is_of_another, closed=kept.closing is not None)
    shown = {pair.case for pair in plan.pairs} if plan is not None else set()
    names = sorted({name for case in shown for name in of_case.get(case, ())})
    parts = [
        _share(
            [rating for rating in rated if name in of_case.get(rating.case, ())],
            raters,
            is_of_another=is_of_another,
            closed=kept.closing is not None,
        ).model_copy(update={"slice": name})
        for name in names
    ]
    record = CountedRatings(
        rated_run=rated_run_id,
        baseline=plan.baseline if plan else baseline,
        seed=plan.seed if plan else "",
        count=whole.ratings or RatingCount(counted=0),
        raters=raters,
        ratings=kept.ratings,
        broken=kept.broken,
        slices=of_case,
    )
    return record, [whole, *parts]


def _share(rated: list[Rating], raters: list[RaterRecord], *, is_of_another: bool, closed: bool) -> Measurement:
    """The measurement of ratings of cases: of all, or of those of one slice."""
    states = {rater.rater: rater.state for rater in raters}
    here = [] if is_of_another else rated
    scores = {(one.rater, one.case): one.score for one in here if states[one.rater] == "counts"}
    found = win_share(scores) if scores else None
    counted = RatingCount(
        counted=len(scores),
        raters=found.raters if found else 0,
        cases=found.cases if found else 0,
        disqualified=sum(rater.state == "disqualified" for rater in raters),
        waiting=sum(states[one.rater] == "waits" for one in here),
        elsewhere=len(rated) if is_of_another else 0,
        closed=closed,
        agreement=agreement(scores),
    )
    error = None
    if found is not None and found.error is not None:
        error = StandardError(error=found.error, freedom=found.freedom)
    return Measurement(
        case=WHOLE_SUITE,
        metric=PREFERENCE_METRIC.name,
        value=found.share if found else None,
        error=None if found else "there are no ratings that count yet",
        standard_error=error,
        ratings=counted,
    )


def counted_ratings(
    store: Store, model: str, run: Run, baseline: str, slices: Mapping[str, Iterable[str]] | None = None
) -> tuple[CountedRatings, list[Measurement]]:
    """Read the ratings of a run's outputs from the store, and count them; see :func:`count`.

    Raises:
        UsageError: their plan, or a run that this one judged again, cannot be read.
    """
    rated = rated_run(store, model, run)
    kept = read_ratings(store, model, rated)
    return count(kept, rated_run_id=rated, baseline=baseline, slices=slices)
