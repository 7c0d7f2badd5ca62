"""What the book keeps in memory of a run and of a model: some hundred bytes each, whatever their bundles hold."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.bundle.models import Run
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import one_line
from penstock.releases.history import ReleaseHistory
from penstock.releases.quick_track import VERIFY

MAX_TEXT = 200
"""Of each text on a card: a run's record is somebody else's, and thousands of cards are kept."""


@dataclass(frozen=True, slots=True)
class RunCard:
    """One archived run, as lists and the search show it."""

    model: str
    run_id: str
    track: str = ""
    started: str = ""
    """UTC, ISO 8601; empty: its record does not say."""
    version: str = ""
    commit: str = ""
    repository: str = ""
    cases: int = 0
    verdict: str = ""
    """``pass``, ``fail``, ``inconclusive``; empty: it was not judged."""
    baseline: str = ""
    """Run id of what it was compared with."""
    waits: bool = False
    """Whether its verdict waits for people's ratings."""
    regated_from: str = ""
    """The run whose outputs it judged again."""
    pull: str = ""
    """Number of the pull request that it was of; empty: of none."""
    fork: bool = False
    """Whether its code was that of a fork."""
    fault: str = ""
    """Why its records cannot be read."""

    @property
    def origin(self) -> str:
        """Where its code comes from: ``pull request #12 of a fork``; empty: from no pull request, and no fork."""
        if not self.pull:
            return "of a fork" if self.fork else ""
        return f"pull request #{self.pull}{' of a fork' if self.fork else ''}"

    def matches(self, words: list[str]) -> bool:
        """Whether each word, in lower case, is somewhere on the card."""
        source = (self.version, self.commit, self.repository)
        text = "\n".join((self.model, self.run_id, self.track, self.origin, self.verdict, *source)).lower()
        return all(word in text for word in words)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One model: its archived runs and its releases."""

    name: str
    runs: tuple[RunCard, ...]
    """The newest first."""
    releases: ReleaseHistory | None
    """``None``: nothing of it was released."""
    fault: str = ""
    """Why its releases cannot be read."""

    @property
    def last_release_run(self) -> RunCard | None:
        """The newest run that was to be a release."""
        return next((run for run in self.runs if run.track != VERIFY), None)

    def run(self, run_id: str) -> RunCard | None:
        """One of its runs."""
        return next((run for run in self.runs if run.run_id == run_id), None)


def card_of(
    model: str, run_id: str, run: Run, verdict: Verdict | None, *, pull: str = "", fork: bool = False
) -> RunCard:
    """The card of a run from its two small records.

    Args:
        model: its model.
        run_id: its name.
        run: ``run.json``.
        verdict: ``verdict.json``; ``None``: it was not judged.
        pull: number of its pull request; empty: it was of none.
        fork: whether its code was that of a fork.
    """
    source = run.source
    return RunCard(
        model=model,
        run_id=run_id,
        track=_cut(run.track),
        started=_cut(run.steps[0].started) if run.steps else "",
        version=_cut(source.version) if source else "",
        commit=_cut(source.commit) if source else "",
        repository=_cut(source.url) if source else "",
        cases=run.suite.cases if run.suite else 0,
        verdict=verdict.verdict if verdict else "",
        baseline=_cut(verdict.baseline or "") if verdict else "",
        waits=verdict is not None
        and verdict.verdict == "inconclusive"  # no rating saves what another rule has rejected
        and any(rule.ratings_wanted is not None and rule.verdict == "inconclusive" for rule in verdict.rules),
        regated_from=_cut(run.regated_from or ""),
        pull=pull,
        fork=fork,
    )


def _cut(text: str) -> str:
    return one_line(text[:MAX_TEXT])
