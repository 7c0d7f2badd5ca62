"""Ratings in a store: opened, added, closed, read. Every object is put where none was, and stays as it is."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from penstock.bundle.directory import parse_model
from penstock.bundle.models import Run
from penstock.foundation.errors import UsageError, one_line
from penstock.ratings.records import (
    MAX_PLAN_BYTES,
    MAX_RECORD_BYTES,
    RATER_PATTERN,
    Closing,
    RatedPair,
    Rating,
    RatingPlan,
    ratings_root,
)
from penstock.ratings.turns import turns
from penstock.store.archive import run_key
from penstock.store.store import DamagedError, NotStoredError, Store

READERS = 8
MAX_RATERS = 1000
MAX_CHAIN = 50
"""Runs that judged the same outputs again, one after the other."""
MAX_RUN_BYTES = 4 << 20


@dataclass(frozen=True)
class KeptRatings:
    """All that is kept of a run's ratings."""

    plan: RatingPlan | None
    """``None``: nobody has opened it yet."""
    ratings: list[Rating]
    """Sorted by rater and pair."""
    broken: list[str]
    """Keys of objects that are no ratings of this plan."""
    closing: Closing | None


def now_text(now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> str:
    """The time, UTC, ISO 8601, in seconds."""
    return now().astimezone(UTC).isoformat(timespec="seconds")


def rated_run(store: Store, model: str, run: Run) -> str:
    """The run under whose name the ratings of these outputs are kept: the first that had them.

    Raises:
        UsageError: a run that it names is not archived, or they name each other in a circle.
    """
    first, before = run.run_id, run.regated_from
    for _ in range(MAX_CHAIN):
        if before is None:
            return first
        first, key = before, f"{run_key(model, before)}/run.json"
        try:
            before = parse_model(store.read(key, MAX_RUN_BYTES), Run, where=key).regated_from
        except NotStoredError:
            raise UsageError(f"no run '{first}' of {model} is archived", where=store.location(key)) from None
    raise UsageError("these runs judged each other's outputs again in a circle", where=f"run '{run.run_id}'")


def read_plan(store: Store, model: str, run_id: str) -> RatingPlan | None:
    """What is rated of a run; ``None``: nobody has opened it yet.

    Raises:
        UsageError: it cannot be read, or is of another run.
    """
    key = f"{ratings_root(model, run_id)}/plan.json"
    try:
        plan = parse_model(store.read(key, MAX_PLAN_BYTES), RatingPlan, where=key)
    except NotStoredError:
        return None
    if (plan.model, plan.run_id) != (model, run_id):
        raise UsageError("it is the plan of another run", where=key, todo="Restore it from a copy.")
    return plan


def open_plan(store: Store, model: str, run_id: str, baseline: str, pairs: Sequence[RatedPair]) -> RatingPlan:
    """Write down what is rated, with a new seed, unless somebody has; returns what stands there.

    Raises:
        UsageError: what stands there cannot be read.
    """
    plan = RatingPlan(
        model=model, run_id=run_id, baseline=baseline, seed=secrets.token_hex(16), pairs=list(pairs), opened=now_text()
    )
    if store.swap_pointer(f"{ratings_root(model, run_id)}/plan.json", plan.model_dump(mode="json"), seen=None):
        return plan
    return read_plan(store, model, run_id) or plan


def add_rating(store: Store, plan: RatingPlan, name: str, rating: Rating) -> bool:
    """Append one rating. ``False``: this rater has answered this pair already, and that answer stays."""
    key = f"{ratings_root(plan.model, plan.run_id)}/answers/{rating.rater}/{name}.json"
    return store.swap_pointer(key, rating.model_dump(mode="json"), seen=None)


def answered(store: Store, model: str, run_id: str, rater: str) -> set[str]:
    """The pairs that a rater has answered, whatever is in those objects."""
    names = store.names(f"{ratings_root(model, run_id)}/answers/{rater}")
    return {name.removesuffix(".json") for name in names if name.endswith(".json")}


def close(store: Store, model: str, run_id: str, *, reason: str, by: str) -> bool:
    """End the rating of a run. ``False``: it is over already.

    Args:
        store: where the run is archived.
        model: its model.
        run_id: the run.
        reason: why, 1 to 500 characters.
        by: who says so, 1 to 200 characters.
    """
    closing = Closing(reason=reason, by=by, time=now_text())
    return store.swap_pointer(f"{ratings_root(model, run_id)}/closed.json", closing.model_dump(mode="json"), seen=None)


def is_closed(store: Store, model: str, run_id: str) -> bool:
    """Whether nobody rates it any more; one that cannot be read closes it, too."""
    return store.size(f"{ratings_root(model, run_id)}/closed.json") is not None


def read_ratings(store: Store, model: str, run_id: str) -> KeptRatings:
    """Read all of it. What is no rating of the plan is named, and otherwise passed over.

    Raises:
        UsageError: the plan, or who closed it, cannot be read.
        DamagedError: one of these two is too large.
    """
    root = ratings_root(model, run_id)
    plan = read_plan(store, model, run_id)
    closing = None
    if is_closed(store, model, run_id):
        closing = parse_model(store.read(f"{root}/closed.json", MAX_RECORD_BYTES), Closing, where=f"{root}/closed.json")
    if plan is None:
        return KeptRatings(None, [], [], closing)
    raters = list(store.names(f"{root}/answers"))
    with ThreadPoolExecutor(READERS, thread_name_prefix="ratings") as readers:
        found = list(readers.map(lambda rater: _of_rater(store, plan, rater), raters[:MAX_RATERS]))
    broken = [f"{root}/answers/{rater}" for rater in raters[MAX_RATERS:]]
    return KeptRatings(
        plan, [one for good, _ in found for one in good], [key for _, bad in found for key in bad] + broken, closing
    )


def _of_rater(store: Store, plan: RatingPlan, rater: str) -> tuple[list[Rating], list[str]]:
    """The ratings of one rater, and the keys of what is none."""
    root = f"{ratings_root(plan.model, plan.run_id)}/answers/{rater}"
    if not re.fullmatch(RATER_PATTERN, rater):  # no book has put it there, and it need not even be a key
        return [], [one_line(root)]
    expected = {
        turn.name: (rater, turn.pair.case, turn.kind, turn.candidate, turn.right) for turn in turns(plan, rater)
    }
    good, bad = [], []
    for name in sorted(answered(store, plan.model, plan.run_id, rater)):
        key = f"{root}/{name}.json"
        if name not in expected:
            bad.append(key)
            continue
        try:
            rating = parse_model(store.read(key, MAX_RECORD_BYTES), Rating, where=key)
        except (UsageError, DamagedError, NotStoredError):
            bad.append(key)
            continue
        said = rating.rater, rating.case, rating.kind, rating.candidate, rating.right
        good.append(rating) if said == expected[name] else bad.append(key)
    return good, bad
