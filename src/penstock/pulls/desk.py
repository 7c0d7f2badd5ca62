"""What is done about a pull request: which run is created, which is ended, and what who may not is told."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from penstock.foundation.errors import UsageError, WorldError, one_line
from penstock.notices.commit_status import CommitStatus
from penstock.pulls.comment_commands import PullCommand, parse_commands
from penstock.pulls.desk_file import DeskRepository, DeskSettings
from penstock.pulls.desk_runs import DeskRuns
from penstock.pulls.happenings import CommentEvent, PullEvent
from penstock.pulls.pull_lookup import PullNow
from penstock.pulls.pull_run import CANCELLED, Ending, PullRun, RunWanted, note, pull_key, run_body, run_name
from penstock.pulls.rounds import Tell

log = logging.getLogger(__name__)
MAX_WAITING = 200
"""Runs that wait for their turn, and as many again that are held, over all pull requests; no more are made, so that
nobody fills the cluster's memory with them."""
MAX_WAIVED = 10
"""Rules of one commit."""
MAX_COMMENT_AGE = datetime.timedelta(days=1)
"""An older comment does nothing: an event that somebody kept cannot be sent again much later."""
CLOCKS_APART = datetime.timedelta(seconds=60)
"""How much the clocks of the forge and of the cluster may differ."""
LookUp = Callable[[DeskRepository, int], PullNow]
Answer = Callable[[DeskRepository, int, str], None]


class HeadBehindError(Exception):
    """The forge's API does not have the commit yet, or no more, that its event was about: worth asking once more."""


class Desk:
    """Acts on one event at a time. What it knows it reads from the runs and asks the forge, each time."""

    def __init__(
        self,
        settings: DeskSettings,
        runs: DeskRuns,
        *,
        look_up: LookUp,
        answer: Answer,
        tell: Tell,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            settings: of the platform.
            runs: the cluster's.
            look_up: asks the forge what a pull request is now.
            answer: tells people below the pull request why what they asked for was not done.
            tell: sets a commit's status.
            now: the time.
        """
        self._settings, self._runs, self._now = settings, runs, now
        self._look_up, self._answer, self._tell = look_up, answer, tell

    def pull(self, repository: DeskRepository, event: PullEvent, *, patient: bool) -> None:
        """A pull request was opened, changed or closed.

        Args:
            repository: that it belongs to.
            event: what its forge said.
            patient: whether to ask again later if the forge's API is behind its events.

        Raises:
            HeadBehindError: see ``patient``.
            WorldError: the forge or the API server does not answer.
        """
        pull = self._look_up(repository, event.number)
        if patient and pull.open and event.head is not None and event.head != pull.head:
            raise HeadBehindError
        self.bring_up_to_date(repository, pull)

    def bring_up_to_date(self, repository: DeskRepository, pull: PullNow) -> None:
        """End what is tried for nothing, and see that the commit that is there has its run."""
        there = self._runs.of_pull(pull_key(repository, pull.number))
        if not pull.open:
            self._end(repository, there, "closed")
            return
        old = [run for run in there if run.head != pull.head or run.notes.get("base") != pull.base]
        self._end(repository, old, "superseded")
        same = [run for run in there if run not in old]
        if any(run.counts_as_tried for run in same):
            return
        if self._create(repository, RunWanted(pull, self._settings.file.slice), there):
            self._tell_full(repository, pull)

    def comment(self, repository: DeskRepository, event: CommentEvent) -> None:
        """Do what a comment asks for, if its author may.

        Raises:
            WorldError: the forge or the API server does not answer.
        """
        now = self._now()
        if not repository.may(event.person):
            log.info("%s#%d: %s may not give commands", repository.shown, event.number, event.person)
            return
        if now - event.written > MAX_COMMENT_AGE:
            log.info("%s#%d: the comment %d is too old", repository.shown, event.number, event.comment)
            return
        asked = parse_commands(event.text, today=now.date())
        said = list(asked.faults)
        for place, command in enumerate(asked.commands, 1):
            log.info("%s#%d: %s by %s", repository.shown, event.number, command.verb, event.person)
            said += self._do(repository, event, command, f"comment {event.comment} {command.verb} {place}")
        if said:
            self._answer(repository, event.number, "\n".join(f"- {one_line(line)}" for line in said))

    def _do(self, repository: DeskRepository, event: CommentEvent, command: PullCommand, cause: str) -> list[str]:
        """Do one command; returns why it was not done."""
        there = self._runs.of_pull(pull_key(repository, event.number))
        if command.verb == "cancel":
            before = _stamp(event.written + CLOCKS_APART)
            # a delivery that comes twice does not end what was started since
            self._end(repository, [run for run in there if run.created <= before], "cancelled", by=event.person)
            return []
        pull = self._look_up(repository, event.number)
        if not pull.open:
            return [f"`{command.verb}`: the pull request is closed"]
        same = [run for run in there if run.head == pull.head]
        if command.verb == "ok-to-test":
            if not pull.fork:
                return ["`ok-to-test`: this is not a fork, its commits run without it"]
            if command.commit != pull.head:
                return [_not_meant(command.commit, pull)]
            return self._let_run(repository, pull, there, cause=cause, person=event.person)
        approver = next((run.notes["approved-by"] for run in same if run.notes.get("approved-by")), "")
        if pull.fork and not approver:
            return [f"`{command.verb}`: a fork's commit; first `/penstock ok-to-test {pull.head}`"]
        if any(run.notes.get("cause") == cause for run in there):
            return []  # the event came twice
        # two commands of one comment make two runs in one second
        last = max(same, key=lambda run: (run.active, run.created, run.attempt), default=None)
        waive = last.waive if last is not None else ()
        cases = last.notes.get("slice", "") if last is not None else self._settings.file.slice
        if command.verb == "verify":
            cases = "" if command.full else self._settings.file.slice
        if command.waived is not None:
            mine = command.waived.as_json(event.person)
            kept = [
                one for one in waive if (one.get("metric"), one.get("slice")) != (mine["metric"], mine.get("slice"))
            ]
            waive = (*kept, mine)
            if len(waive) > MAX_WAIVED:
                return [f"`waive`: at most {MAX_WAIVED} rules of one commit can be waived"]
        self._end(repository, [run for run in there if run.head != pull.head], "superseded")
        self._end(repository, same, "repeated", by=event.person)
        return self._create(repository, RunWanted(pull, cases, waive, cause, event.person, approver), there)

    def _let_run(
        self, repository: DeskRepository, pull: PullNow, there: Sequence[PullRun], *, cause: str, person: str
    ) -> list[str]:
        """Let a fork's commit run, which was named whole."""
        same = [run for run in there if run.head == pull.head]
        held = [run for run in same if run.held]
        if held:
            self._runs.patch(held[-1].name, note(held="false", approved_by=person))
        elif not any(run.notes.get("approved-by") for run in same):
            wanted = RunWanted(pull, self._settings.file.slice, (), cause, person, person)
            return self._create(repository, wanted, there)
        return []

    def _create(self, repository: DeskRepository, wanted: RunWanted, there: Sequence[PullRun]) -> list[str]:
        """Create a run, unless there is one of its name; returns why not."""
        # Runs are deleted at times, the last one among them: the clock goes on.
        minutes = int(self._now().timestamp()) // 60
        wanted = replace(wanted, attempt=max((minutes, *(run.attempt + 1 for run in there))))
        name = run_name(repository, wanted)
        # counted apart: forks that nobody lets run keep nobody else out
        waiting = sum(run.pending and run.held == wanted.held for run in self._runs.unsettled())
        if waiting >= MAX_WAITING:
            log.warning("%s#%d: %d runs wait already: none is made", repository.shown, wanted.pull.number, waiting)
            return [f"{waiting} runs wait already: ask again when some have gone"]
        made = self._runs.create(run_body(repository, self._settings.file, wanted))
        log.info("%s#%d: run %s %s", repository.shown, wanted.pull.number, name, "created" if made else "is there")
        return []

    def _tell_full(self, repository: DeskRepository, pull: PullNow) -> None:
        """Of a commit that has no run the rounds say nothing."""
        again = f"ok-to-test {pull.head}" if pull.fork else "retest"
        status = CommitStatus("pending", f"too many runs wait; to try this one: /penstock {again}")
        try:
            self._tell(repository, pull.head, status)
        except (WorldError, UsageError) as error:
            log.warning("%s#%d: that too many runs wait was not told: %s", repository.shown, pull.number, error)

    def _end(self, repository: DeskRepository, runs: Sequence[PullRun], why: Ending, *, by: str = "") -> None:
        for run in runs:
            if not run.active:
                continue
            log.info("%s#%d: run %s is ended: %s", repository.shown, run.number, run.name, why)
            # what has never run nobody needs to know of: a fork that pushes all day fills nothing
            overtaken = run.pending and why in ("superseded", "closed")
            if overtaken and self._runs.delete(run.name, run.version):
                continue
            # also if it could not be deleted: it may have been let go since it was read
            self._runs.patch(run.name, note(ended=why, ended_by=by) | {"spec": {"status": CANCELLED}})


def _not_meant(commit: str, pull: PullNow) -> str:
    """A comment does not say which commit its author has seen, unless it names it."""
    other = " is another now" if len(commit) == len(pull.head) else " has to be named whole"
    return f"`ok-to-test`: the commit{other}. If you have read it: `/penstock ok-to-test {pull.head}`"


def _stamp(when: datetime.datetime) -> str:
    """As the API server writes a time, so that they can be compared as text."""
    return when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
