"""One run: what it says of itself, each rule's answer, and its files."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.book.cards import RunCard, card_of
from penstock.book.places import is_fork, pull_of
from penstock.book.shelf import Shelf
from penstock.bundle.models import Run
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.families.registry import is_stand_in
from penstock.foundation.errors import UsageError
from penstock.report.forest import Forest, forest
from penstock.report.summary import rule_interval, rule_numbers, rule_state, rule_title
from penstock.store.store import DamagedError

MAX_FILES = 200
"""Files that are listed; a bundle has some for each case, and the pages of the cases show those."""


@dataclass(frozen=True)
class RuleRow:
    """One rule's answer."""

    title: str
    baseline: str
    candidate: str
    change: str
    interval: str
    forest: Forest | None
    state: str
    rule: RuleResult
    stand_in: bool


@dataclass(frozen=True)
class RunView:
    """What the page of a run shows."""

    card: RunCard
    run: Run
    verdict: Verdict | None
    rows: list[RuleRow]
    files: list[str]
    """Those that belong to no case, as far as they are listed."""
    more: int
    """How many others there are."""
    note: str
    """Why something is missing."""


def run_view(shelf: Shelf, model: str, run_id: str) -> RunView:
    """Read it.

    Raises:
        NotStoredError: no such run is archived.
        UsageError: ``run.json`` cannot be read.
    """
    names = sorted(shelf.manifest(model, run_id).files)
    run = shelf.run(model, run_id)
    note = ""
    try:
        verdict = shelf.verdict(model, run_id)
    except (UsageError, DamagedError) as error:
        verdict, note = None, f"The verdict cannot be read: {error.what}."
    own = [name for name in names if not name.startswith(("outputs/", "baseline/outputs/"))]
    root = shelf.root(model, run_id)
    return RunView(
        card=card_of(model, run_id, run, verdict, pull=pull_of(root), fork=is_fork(root)),
        run=run,
        verdict=verdict,
        rows=[_row(rule) for rule in verdict.rules] if verdict else [],
        files=own[:MAX_FILES],
        more=len(names) - len(own[:MAX_FILES]),
        note=note,
    )


def _row(rule: RuleResult) -> RuleRow:
    baseline, candidate, change = rule_numbers(rule)
    return RuleRow(
        title=rule_title(rule),
        baseline=baseline,
        candidate=candidate,
        change=change,
        interval=rule_interval(rule),
        forest=forest(rule),
        state=rule_state(rule),
        rule=rule,
        stand_in=is_stand_in(rule.extractor),
    )
