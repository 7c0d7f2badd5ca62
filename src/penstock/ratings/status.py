"""How far the rating of a run is: what the gate would say of it now."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.directory import parse_model
from penstock.bundle.models import Run
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.contract.policy import Policy, Rule
from penstock.foundation.errors import UsageError
from penstock.gating.gate import gate
from penstock.ratings.counting import count
from penstock.ratings.kept import MAX_RUN_BYTES, rated_run, read_ratings
from penstock.ratings.records import Closing, CountedRatings
from penstock.store.archive import run_key
from penstock.store.store import NotStoredError, Store


@dataclass(frozen=True)
class RatingStatus:
    """The ratings of a run's outputs."""

    model: str
    rated_run: str
    """The run under which they are kept: see :func:`penstock.ratings.kept.rated_run`."""
    baseline: str
    rule: RuleResult
    """What the rule of its verdict would say now."""
    counted: CountedRatings
    closing: Closing | None


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
    asked = next((rule for rule in verdict.rules if rule.ratings_wanted is not None), None)
    if asked is None or verdict.baseline is None:
        todo = "A policy asks for them: {metric: preference, min: 0.35}; a first release has nothing to compare with."
        raise UsageError("no rule of the run's verdict asks for ratings", where=root, todo=todo)
    first = rated_run(store, model, run)
    kept = read_ratings(store, model, first)
    counted, measured = count(kept, rated_run_id=first, baseline=verdict.baseline)
    rule = Rule(metric=asked.metric, min=asked.minimum, ratings=asked.ratings_wanted)
    now = gate(
        [measured],
        [],
        Policy(level=verdict.level, rules=[rule]),
        candidate_name=run_id,
        baseline_name=verdict.baseline,
    )
    return RatingStatus(model, first, verdict.baseline, now.rules[0], counted, kept.closing)
