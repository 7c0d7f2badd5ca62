"""What is done every few seconds: runs that wait are let go in their turn, and people are told how far theirs is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from penstock.foundation.errors import PenstockError, UsageError
from penstock.notices.commit_status import CommitStatus
from penstock.notices.forge import RefusedError
from penstock.pulls.desk_file import DeskRepository, DeskSettings
from penstock.pulls.desk_runs import DeskRuns
from penstock.pulls.pull_run import SETTLED_LABEL, PullRun, note

log = logging.getLogger(__name__)
TRY_AGAIN_S = 30.0
"""A forge that cannot be reached, or has too much to do, is left alone for so long."""
REFUSED_S = 60.0
"""A run whose status the forge does not take is left alone for so long, and after each further try twice as long."""
LONGEST_REFUSED_S = 3600.0
MAX_REFUSED = 5
"""After so many refusals an ended run is settled: its commit is gone, the repository archived, a right missing."""
Stage = Literal["held", "waiting", "running", "end"]
Tell = Callable[[DeskRepository, str, CommitStatus], None]
"""Sets the status of a commit of a repository."""
Said = Callable[[DeskRepository, str], Sequence[CommitStatus]]
"""What was said of a commit of a repository, the last first."""


@dataclass(frozen=True)
class Refusal:
    """That a run's status was not taken."""

    stage: Stage
    times: int
    not_before: float
    """By the clock of the rounds."""


class Rounds:
    """Looks at all runs that are not settled. A run is settled when it has ended and everybody knows."""

    def __init__(
        self,
        settings: DeskSettings,
        runs: DeskRuns,
        *,
        tell: Tell,
        said: Said,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._runs, self._clock = settings, runs, clock
        self._tell, self._said = tell, said
        self._not_before = dict[str, float]()
        """Name of a forge → until when it is left alone."""
        self._refused = dict[str, Refusal]()
        """By the name of the run, as long as it is not settled. A restart begins anew."""

    def go(self) -> None:
        """One round.

        Raises:
            WorldError: the API server does not answer.
        """
        runs = self._runs.unsettled()
        let_go = self._let_go(runs)
        self._refused = {run.name: self._refused[run.name] for run in runs if run.name in self._refused}
        for run in sorted(runs, key=lambda run: run.name in self._refused):
            # of one that is being ended nothing is said before it has
            if let_go.get(run.name, True) and (run.active or run.ended):
                self._say(run, "running" if run.name in let_go else how_far(run))

    def _let_go(self, runs: Sequence[PullRun]) -> dict[str, bool]:
        """Let the oldest go, at most so many, one of each pull request.

        Returns:
            For each whose turn it is, whether that was done; if not, somebody has changed it since it was read.
        """
        busy = {run.key for run in runs if run.running}
        free = self._settings.file.at_most - sum(run.running for run in runs)
        found = dict[str, bool]()
        for run in runs:
            if free <= 0:
                break
            if not run.pending or run.held or run.key in busy:
                continue
            # by compare-and-swap: it may be ended meanwhile
            change = {"metadata": {"resourceVersion": run.version}, "spec": {"status": None}}
            found[run.name] = self._runs.patch(run.name, change)
            if found[run.name]:
                log.info("run %s is let go", run.name)
            busy.add(run.key)
            free -= 1
        return found

    def _say(self, run: PullRun, stage: Stage) -> None:
        """Set the commit's status, unless that was said or somebody else has; then note that it was."""
        if run.notes.get("told") == stage or not self._told(run, stage):
            return
        change = note(told=stage)
        if stage == "end":
            change["metadata"]["labels"] = {SETTLED_LABEL: "true"}
        self._runs.patch(run.name, change)

    def _told(self, run: PullRun, stage: Stage) -> bool:
        """Whether no more is to be done about it."""
        forge = run.notes.get("forge", "")
        repository = self._settings.repository(forge, run.notes.get("path", ""))
        if repository is None:
            log.warning("run %s: its repository is not in pulls.yaml any more, nobody is told", run.name)
            return True
        refused = self._refused.get(run.name, Refusal(stage, 0, 0.0))
        if refused.stage != stage:
            refused = Refusal(stage, 0, 0.0)
        if self._clock() < max(self._not_before.get(forge, 0.0), refused.not_before):
            return False
        # what this round began with is old where a forge was waited for
        there = self._runs.of_commit(run.key, run.head)
        now = next((one for one in there if one.name == run.name), None)
        if now is None or _is_overtaken(now, there):
            return True
        if not (now.active or now.ended) or how_far(now) != stage:
            return False
        try:
            status = self._verdict_again(now, repository) if now.told_verdict else status_of(now, stage)
            if status is not None:
                self._tell(repository, run.head, self._with_link(status, run))
        except (RefusedError, UsageError) as error:
            return self._given_up(run, refused, error)
        except PenstockError as error:
            log.warning("run %s: the commit's status was not set: %s", run.name, error)
            self._not_before[forge] = self._clock() + TRY_AGAIN_S
            return False
        return True

    def _with_link(self, status: CommitStatus, run: PullRun) -> CommitStatus:
        """A status that is pending leads to the run in progress; the verdict's link is that of *notify*."""
        book = self._settings.file.book
        if status.state != "pending" or book is None:
            return status
        return replace(status, target_url=f"{book.rstrip('/')}/live/{run.name}")

    def _verdict_again(self, run: PullRun, repository: DeskRepository) -> CommitStatus | None:
        """The verdict that *notify* has told, if *pending* has come after it; ``None``: it stands there.

        That a request was on its way for long, or that this process ended just then, nobody can rule out.
        """
        said = self._said(repository, run.head)
        if not said or said[0].state != "pending":
            return None
        others = (one for one in self._runs.unsettled() if one.head == run.head and one.key != run.key)
        if any(one.active for one in others):  # another pull request's, which does the same at its own end
            return None
        log.warning("run %s: its verdict is told once more: 'pending' has come after it", run.name)
        verdict = next((status for status in said if status.state != "pending"), None)
        return verdict or CommitStatus("error", f"its verdict is in its comment: {run.summary}")

    def _given_up(self, run: PullRun, before: Refusal, error: PenstockError) -> bool:
        """Remember that this run's status was not taken: the others of its forge are told."""
        times = before.times + 1
        if before.stage == "end" and times >= MAX_REFUSED:
            log.warning("run %s: the commit's status is given up after %d refusals: %s", run.name, times, error)
            return True
        wait_s = min(REFUSED_S * 2.0 ** min(times - 1, 10), LONGEST_REFUSED_S)
        log.warning("run %s: the commit's status was refused, tried again in %g s: %s", run.name, wait_s, error)
        self._refused[run.name] = Refusal(before.stage, times, self._clock() + wait_s)
        return False


def _is_overtaken(run: PullRun, there: Sequence[PullRun]) -> bool:
    """Whether a later run of the same commit is there, settled or not: what this one comes to hides nothing of it."""
    mine = (run.created, run.attempt)
    return any(other.head == run.head and (other.created, other.attempt) > mine for other in there)


def how_far(run: PullRun) -> Stage:
    """How far a run is."""
    if run.ended:
        return "end"
    if run.pending:
        return "held" if run.held else "waiting"
    return "running"


def status_of(run: PullRun, stage: Stage) -> CommitStatus | None:
    """What is said of a run's commit; ``None``: its *notify* has said it, or nothing is to be said."""
    if stage == "held":
        return CommitStatus("pending", f"a fork's commit: runs after /penstock ok-to-test {run.head}")
    if stage == "waiting":
        return CommitStatus("pending", "waits for its turn")
    if stage == "running":
        return None if run.telling else CommitStatus("pending", "is being tried")
    if run.notes.get("ended") == "repeated":
        return None
    why = {
        "superseded": "cancelled: a newer commit came",
        "closed": "cancelled: the pull request was closed",
        "cancelled": f"cancelled by {run.notes.get('ended-by', '')}",
    }.get(run.notes.get("ended", ""))
    if why is not None or run.reason.startswith("Cancelled"):
        return CommitStatus("cancelled", why or "cancelled")
    return CommitStatus("error", f"ended without a verdict: {run.message or run.reason}")
