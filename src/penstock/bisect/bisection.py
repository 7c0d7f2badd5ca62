"""The whole of it: the two ends are checked first, then the search asks the gate about one commit after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from penstock.bisect.commits import Commit
from penstock.bisect.fixed_suite import Reference
from penstock.bisect.library import Library
from penstock.bisect.question import Judged, Question
from penstock.bisect.saved_bisection import Bisection, BisectStep, CommitRecord, Outcome, read_steps, write
from penstock.bisect.search import Search
from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import RuleResult
from penstock.foundation.errors import ExitCode, UsageError, WorldError
from penstock.gating.decision import mean
from penstock.gating.measurements import MeasurementSource, Table
from penstock.gating.wording import limit_text, subject_of
from penstock.tekton.run_json import OnEvent, ignore_events

NOW = "run now"


@dataclass(frozen=True)
class Failed:
    """A commit could not be run to its end."""

    reason: str
    code: int


@dataclass(frozen=True)
class Measured:
    """A commit's values."""

    source: MeasurementSource
    bundle: Path
    origin: str
    seconds: float


Run = Callable[[Commit], "Bundle | Failed"]
"""Brings a commit to its measurements. Whatever is not the commit's fault is raised."""


class Watcher:
    """Is told what happens; this one does nothing."""

    def begins(self, bisection: Bisection, commit: CommitRecord, position: int, runs_left: int) -> None:
        """A commit's turn has come. ``runs_left``: this one and those after it, at most, if none is skipped."""

    def ends(self, step: BisectStep) -> None:
        """It is known what the commit is."""

    def run(self) -> AbstractContextManager[OnEvent]:
        """Opened while a commit is run; takes the pipeline's events."""
        return nullcontext(ignore_events)


class Bisector:
    """Looks for the first bad commit of a row. Use :meth:`find`."""

    def __init__(
        self,
        row: Sequence[Commit],
        question: Question,
        reference: Reference,
        library: Library,
        run: Run,
        *,
        repository: str,
        record: Path,
        retry: bool = False,
        watcher: Watcher | None = None,
    ) -> None:
        """What is searched, and how.

        Args:
            row: the good commit, those after it, the bad one last.
            question: the metric and its rule.
            reference: the suite and the extractors of all of them.
            library: bundles that exist.
            run: makes one that does not.
            repository: its address, for the record.
            record: the file where what is found out is kept; what an earlier bisection left there is used.
            retry: try commits again that an earlier one could not run.
            watcher: is told what happens.
        """
        self._row = row
        self._question = question
        self._reference = reference
        self._library = library
        self._run = run
        self._record = record
        self._watcher = watcher or Watcher()
        known = read_steps(record)
        self._skipped: Mapping[str, BisectStep] = {
            commit: step for commit, step in known.items() if step.answer == "skipped" and not step.origin and not retry
        }
        rule = question.rule
        self.bisection = Bisection(
            repository=repository,
            metric=rule.metric,
            slice=rule.slice,
            rule=limit_text(rule, subject_of(rule)),
            level=question.policy.level,
            good=CommitRecord.of(row[0]),
            bad=CommitRecord.of(row[-1]),
            commits=len(row) - 1,
            suite=max(reference.suite_digests),
            extractors=reference.extractors,
        )

    def find(self) -> Bisection:
        """Find it.

        Raises:
            UsageError: the good commit breaks the rule itself, lacks values, or one of the two ends is faulty.
            WorldError: one of the two ends cannot be run, or something outside fails.
            Interrupted: Ctrl-C. What was found out is kept.
        """
        search = Search(len(self._row) - 1)
        ends = 2
        good = self._end(0, "good", ends + search.asks_left)
        self._prove_good(good)
        self._note(0, "good", "the baseline of all others", good)
        bad = self._end(search.high, "bad", 1 + search.asks_left)
        against = self._question.compare(bad.source, good.source)
        self._note(search.high, "bad", against.reason, bad, against)
        if against.verdict != "fail":
            return self._finish("not worse" if against.verdict == "pass" else "inconclusive")
        position = search.next(self._free())
        while position is not None:
            step = self._ask(position, good, bad, search.asks_left)
            assert step.answer in ("not worse", "worse", "skipped")  # noqa: S101
            search.tell(position, step.answer)
            position = search.next(self._free())
        suspects = [CommitRecord.of(self._row[index]) for index in search.suspects]
        before = CommitRecord.of(self._row[search.low])
        self.bisection = self.bisection.model_copy(update={"before": before, "suspects": suspects})
        if len(suspects) > 1:
            return self._finish("suspects")
        self.bisection = self.bisection.model_copy(update={"first_bad": suspects[0], "suspects": []})
        return self._finish("found")

    def _free(self) -> list[int]:
        """Commits that need not be run."""
        return [index for index, commit in enumerate(self._row) if self._library.has(commit.hash)]

    def _end(self, position: int, name: str, runs_left: int) -> Measured:
        """The good or the bad commit, which must be measurable."""
        commit = self._row[position]
        self._watcher.begins(self.bisection, CommitRecord.of(commit), position, runs_left)
        measured = self._measured(commit)
        if isinstance(measured, Failed):
            fault = UsageError if measured.code == ExitCode.USAGE else WorldError
            raise fault(
                f"the {name} commit cannot be measured: {measured.reason}",
                where=f"{commit.hash[:12]}",
                todo=f"Name another --{name}, or mend what it needs.",
            )
        return measured

    def _prove_good(self, good: Measured) -> None:
        commit = self._row[0].hash[:12]
        if lost := self._question.lost(good.source):
            raise UsageError(
                f"nothing can be compared with the good commit: {lost}", where=commit, todo="Name another --good."
            )
        itself = self._question.compare(good.source, good.source)
        if itself.verdict == "fail":
            raise UsageError(
                f"the good commit breaks the rule itself: {itself.reason}",
                where=commit,
                todo="Name an earlier --good, or give --margin, so that only the change from it counts.",
            )

    def _ask(self, position: int, good: Measured, bad: Measured, runs_left: int) -> BisectStep:
        commit = self._row[position]
        self._watcher.begins(self.bisection, CommitRecord.of(commit), position, runs_left)
        if commit.hash in self._skipped:
            step = self._skipped[commit.hash].model_copy(update={"position": position})
            return self._keep(step)
        measured = self._measured(commit)
        if isinstance(measured, Failed):
            return self._keep(
                BisectStep(commit=CommitRecord.of(commit), position=position, answer="skipped", why=measured.reason)
            )
        try:
            judged = self._question.judge(measured.source, good.source, bad.source)
        except UsageError as error:
            judged = Judged("skipped", f"it cannot be compared: {error}")
        return self._note(position, judged.answer, judged.why, measured, judged.against_good, judged.against_bad)

    def _measured(self, commit: Commit) -> Measured | Failed:
        started = time.monotonic()
        found = self._library.find(commit.hash)
        if found is not None:
            bundle, origin = found.bundle, found.origin
        else:
            answer = self._run(commit)
            if isinstance(answer, Failed):
                return answer
            if differs := self._reference.differs(answer.run()):
                return Failed(differs, ExitCode.USAGE)
            bundle, origin = answer, NOW
        cases = tuple(call.case for call in bundle.invocations())
        source = MeasurementSource(commit.hash[:12], bundle.measurements(), cases)
        return Measured(source, bundle.path, origin, round(time.monotonic() - started, 3))

    def _note(
        self,
        position: int,
        answer: str,
        why: str,
        measured: Measured,
        against_good: RuleResult | None = None,
        against_bad: RuleResult | None = None,
    ) -> BisectStep:
        rule = self._question.rule
        values = Table("", measured.source.measurements).values(rule.metric, rule.slice)
        step = BisectStep.model_validate(
            {
                "commit": CommitRecord.of(self._row[position]),
                "position": position,
                "answer": answer,
                "why": why,
                "value": mean(list(values.by_case.values())) if values.by_case and not values.lost else None,
                "against_good": against_good,
                "against_bad": against_bad,
                "bundle": str(measured.bundle),
                "origin": measured.origin,
                "seconds": measured.seconds,
            }
        )
        return self._keep(step)

    def _keep(self, step: BisectStep) -> BisectStep:
        before = self.bisection
        self.bisection = before.model_copy(
            update={
                "steps": [*before.steps, step],
                "runs": before.runs + (step.origin == NOW),
                "reused": before.reused + (step.origin not in ("", NOW)),
            }
        )
        write(self._record, self.bisection)
        self._watcher.ends(step)
        return step

    def _finish(self, outcome: Outcome) -> Bisection:
        self.bisection = self.bisection.model_copy(update={"outcome": outcome})
        write(self._record, self.bisection)
        return self.bisection
