"""How far the rating of a run is: what the gate would say of it now."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.directory import parse_model
from penstock.bundle.models import Measurement, Run
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.contract.policy import Policy, Rule
from penstock.foundation.errors import UsageError
from penstock.gating.gate import gate
from penstock.ratings.counting import count
from penstock.ratings.kept import MAX_RUN_BYTES, rated_run, read_ratings
from penstock.ratings.records import RATINGS_FILE, Closing, CountedRatings
from penstock.store.archive import run_key
from penstock.store.store import NotStoredError, Store

MAX_COUNTED_BYTES = 64 << 20


@dataclass(frozen=True)
class RatingStatus:
    """The ratings of a run's outputs."""

    model: str
    rated_run: str
    """The run under which they are kept: see :func:`penstock.ratings.kept.rated_run`."""
    baseline: str
    rules: list[RuleResult]
    """What each rule of its verdict that asks for ratings would say now."""
    counted: CountedRatings
    closing: Closing | None

    @property
    def wanted(self) -> int:
        """How many ratings the rule over all cases waits for, else the one that waits for most."""
        whole = [rule for rule in self.rules if rule.slice is None] or self.rules
        return max(rule.ratings_wanted or 0 for rule in whole)

    @property
    def enough(self) -> bool:
        """Whether no rule waits for more ratings."""
        return all(rule.n >= (rule.ratings_wanted or 0) for rule in self.rules)


def find_run(store: Store, named: str) -> tuple[str, str]:
    """The model and the run of ``RUN`` or ``MODEL/RUN``.

    Raises:
        UsageError: no such run is archived, or several models have one of this name.
    """
    model, _, run_id = named.rpartition("/")
    models = [model] if model else [name for name in store.names("runs") if not name.startswith(".")]
    found = [name for name in models if store.size(f"{run_key(name, run_id)}/run.json") is not None]
    if len(found) != 1:
        what = f"no run '{named[:200]}' is archived" if not found else f"several models have a run '{run_id[:200]}'"
        raise UsageError(what, where=store.uri, todo="Name it as MODEL/RUN; 'penstock runs' and the book list them.")
    return found[0], run_id


def rating_status(store: Store, model: str, run_id: str) -> RatingStatus:
    """Read and count what people have said so far.

    Raises:
        UsageError: the run waited for no ratings, or a record cannot be read.
    """
    root = run_key(model, run_id)
    run = parse_model(store.read(f"{root}/run.json", MAX_RUN_BYTES), Run, where=f"{root}/run.json")
    try:
        found = store.read(f"{root}/verdict.json", MAX_RUN_BYTES)
    except NotStoredError:
        raise UsageError("the run was not judged", where=root) from None
    verdict = parse_model(found, Verdict, where=f"{root}/verdict.json")
    asked = [rule for rule in verdict.rules if rule.ratings_wanted is not None]
    if not asked or verdict.baseline is None:
        todo = "A policy asks for them: {metric: preference, min: 0.35}; a first release has nothing to compare with."
        raise UsageError("no rule of the run's verdict asks for ratings", where=root, todo=todo)
    first = rated_run(store, model, run)
    kept = read_ratings(store, model, first)
    counted, measured = count(kept, rated_run_id=first, baseline=verdict.baseline, slices=_slices(store, root))
    # the floor's are judged apart from the policy's, each at its own level, as in the gate
    levels = {"policy": verdict.level, "floor": verdict.floor.level if verdict.floor is not None else verdict.level}
    now = [
        rule
        for origin, level in levels.items()
        for rule in _said([one for one in asked if one.origin == origin], measured, level, run_id, verdict.baseline)
    ]
    return RatingStatus(model, first, verdict.baseline, now, counted, kept.closing)


def _said(
    asked: list[RuleResult], measured: list[Measurement], level: float, run_id: str, baseline: str
) -> list[RuleResult]:
    """What rules that are judged together would say now; there may be none."""
    if not asked:
        return []
    rules = [
        Rule(metric=rule.metric, slice=rule.slice, min=rule.minimum, ratings=rule.ratings_wanted) for rule in asked
    ]
    return gate(measured, [], Policy(level=level, rules=rules), candidate_name=run_id, baseline_name=baseline).rules


def _slices(store: Store, root: str) -> dict[str, list[str]]:
    """Case → its slices, as the gate noted them when it counted the run's ratings; none in a run of an older version.

    Raises:
        UsageError: that record cannot be read.
    """
    key = f"{root}/{RATINGS_FILE}"
    try:
        return parse_model(store.read(key, MAX_COUNTED_BYTES), CountedRatings, where=key).slices
    except NotStoredError:
        return {}
