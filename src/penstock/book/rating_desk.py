"""What raters are given: the runs that wait for them, the pairs of a run, and the next one."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.book.cards import ModelCard, RunCard
from penstock.book.case_page import cases_of
from penstock.book.evidence import kind_of
from penstock.book.shelf import Shelf
from penstock.foundation.errors import UsageError
from penstock.ratings.kept import add_rating, answered, is_closed, now_text, open_plan, read_plan
from penstock.ratings.records import MAX_PAIRS, Answer, RatedPair, RatingPlan
from penstock.ratings.turns import RaterTurn, turns
from penstock.store.store import DamagedError, NotStoredError

MAX_WAITING = 20
"""Runs that are listed, the newest first."""
KEPT_PLANS = 64


@dataclass(frozen=True)
class WaitingRun:
    """A run that waits for ratings, and how far one rater is with it."""

    card: RunCard
    answered: int = 0
    pairs: int = 0
    """0: nobody has opened it yet."""
    fault: str = ""
    """Why it cannot be rated."""


@dataclass(frozen=True)
class NextPair:
    """The first pair that a rater has not answered."""

    position: int
    """From 0, in the rater's order."""
    turn: RaterTurn
    pairs: int
    """How many the rater has in all."""


class RatingDesk:
    """Methods may be called from several threads, and raise :class:`StoreAwayError` if the store is slow or gone."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._plans: dict[tuple[str, str], RatingPlan] = {}
        self._lock = threading.Lock()

    def waiting(self, rater: str) -> list[WaitingRun]:
        """The runs that can be rated, the newest first."""
        cards = [card for model in self.shelf.models().values() for card in _waiting(model)]
        cards.sort(key=lambda card: (card.started, card.run_id), reverse=True)
        found = []
        for card in cards[:MAX_WAITING]:
            try:
                if self._closed(card.model, card.run_id):
                    continue
                plan = self._written(card.model, card.run_id)
                done = self._answered(plan, rater) if plan is not None else set()
                count = len(turns(plan, rater)) if plan is not None else 0
                found.append(WaitingRun(card, len(done), count))
            except (UsageError, DamagedError) as error:
                found.append(WaitingRun(card, fault=error.what[:200]))
        return found

    def next_pair(self, model: str, run_id: str, rater: str) -> NextPair | None:
        """The rater's next pair; ``None``: all are answered.

        Raises:
            NotStoredError: the run waits for nobody.
            UsageError: its plan cannot be read, or it has nothing that can be rated.
        """
        plan = self._opened(model, run_id)
        mine, done = turns(plan, rater), self._answered(plan, rater)
        left = (index for index, turn in enumerate(mine) if turn.name not in done)
        position = next(left, None)
        return None if position is None else NextPair(position, mine[position], len(mine))

    def turn(self, model: str, run_id: str, rater: str, position: int) -> RaterTurn:
        """One of the rater's pairs.

        Raises:
            NotStoredError: there is no such pair, or nobody has opened the run.
        """
        plan = self._written(model, run_id)
        mine = turns(plan, rater) if plan is not None else []
        if not 0 <= position < len(mine):
            raise NotStoredError("there is no such pair", where=f"{model}/{run_id}")
        return mine[position]

    def may_be_rated(self, model: str, run_id: str) -> bool:
        """Whether it waits for ratings, and nobody has closed it."""
        card = self.shelf.model(model)
        waits = card is not None and any(run.run_id == run_id for run in _waiting(card))
        return waits and not self._closed(model, run_id)

    def answer(self, model: str, run_id: str, rater: str, position: int, answer: Answer, reason: str) -> bool:
        """Append an answer. ``False``: the pair was answered before, and that answer stays."""
        turn, plan = self.turn(model, run_id, rater, position), self._written(model, run_id)
        assert plan is not None  # noqa: S101 (turn has read it)
        rating = turn.rating(rater, answer, reason=reason, time=now_text())
        return self.shelf.pool.ask(lambda: add_rating(self.shelf.store, plan, turn.name, rating))

    def _opened(self, model: str, run_id: str) -> RatingPlan:
        if not self.may_be_rated(model, run_id):
            raise NotStoredError("the run waits for no ratings", where=f"{model}/{run_id}")
        if (plan := self._written(model, run_id)) is not None:
            return plan
        baseline = self.shelf.verdict(model, run_id)
        released = (baseline.baseline if baseline is not None else None) or ""
        pairs = rated_pairs(self.shelf, model, run_id, released)
        if not pairs:
            raise UsageError("no case has a video or a picture of both models", where=f"{model}/{run_id}")
        return self.shelf.pool.ask(lambda: open_plan(self.shelf.store, model, run_id, released, pairs))

    def _written(self, model: str, run_id: str) -> RatingPlan | None:
        """The plan; it never changes once it is there."""
        with self._lock:
            kept = self._plans.get((model, run_id))
        if kept is not None:
            return kept
        plan = self.shelf.pool.ask(lambda: read_plan(self.shelf.store, model, run_id))
        if plan is not None:
            with self._lock:
                if len(self._plans) >= KEPT_PLANS:
                    self._plans.clear()
                self._plans[model, run_id] = plan
        return plan

    def _closed(self, model: str, run_id: str) -> bool:
        return self.shelf.pool.ask(lambda: is_closed(self.shelf.store, model, run_id))

    def _answered(self, plan: RatingPlan, rater: str) -> set[str]:
        known = {turn.name for turn in turns(plan, rater)}
        return known & self.shelf.pool.ask(lambda: answered(self.shelf.store, plan.model, plan.run_id, rater))


def rated_pairs(shelf: Shelf, model: str, run_id: str, released: str) -> list[RatedPair]:
    """The first video, else the first picture, of each case that both models answered, under the same name.

    Raises:
        NotStoredError: the released run is not archived.
        UsageError: a record of one of the two cannot be read.
    """
    here = sorted(shelf.manifest(model, run_id).files)
    beside = any(name.startswith("baseline/outputs/") for name in here)
    there, other = (here, run_id) if beside else (sorted(shelf.manifest(model, released).files), released)
    found: list[RatedPair] = []
    for call in cases_of(shelf, model, run_id):
        if call.status != "ok" or call.refusal is not None or len(found) == MAX_PAIRS:
            continue
        folder = f"outputs/{call.case}/"
        theirs = f"baseline/{folder}" if beside else folder
        names = {name.removeprefix(theirs) for name in _below(there, theirs)}
        both = [name for name in _below(here, folder) if name.removeprefix(folder) in names]
        shown = [name for kind in ("video", "image") for name in both if kind_of(name) == kind]
        if shown:
            found.append(
                RatedPair(
                    case=call.case,
                    kind="video" if kind_of(shown[0]) == "video" else "image",
                    candidate=shown[0],
                    released=theirs + shown[0].removeprefix(folder),
                    released_run=other,
                )
            )
    return found


def _below(names: Sequence[str], folder: str) -> list[str]:
    """Of sorted names, those in a folder."""
    begin = bisect_left(names, folder)
    end = begin
    while end < len(names) and names[end].startswith(folder):
        end += 1
    return list(names[begin:end])


def _waiting(model: ModelCard) -> list[RunCard]:
    """Runs whose ratings are still asked for: compared with the current release, as the last verdict on their outputs.

    That may be a later run's, which judged them again: it has settled it, or is the first that asks for ratings, by
    another policy.
    """
    current = model.releases.current.run_id if model.releases is not None else ""
    before = {run.run_id: run.regated_from for run in model.runs}

    def first(run_id: str) -> str:
        seen: set[str] = set()
        while before.get(run_id) and run_id not in seen:
            seen.add(run_id)
            run_id = before[run_id]
        return run_id

    last = {first(run.run_id): run for run in reversed(model.runs) if run.verdict and run.baseline == current}
    return [
        run
        for run in model.runs
        if not run.regated_from and run.baseline == current and run.run_id in last and last[run.run_id].waits
    ]
