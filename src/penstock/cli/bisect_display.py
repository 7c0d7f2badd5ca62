"""What a person sees of a bisection: each commit on standard error, the answer on standard output."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from penstock.bisect.bisection import NOW, Watcher
from penstock.bisect.question import Question
from penstock.bisect.requested_bisection import FinishedBisection
from penstock.bisect.saved_bisection import Bisection, BisectStep, CommitRecord
from penstock.cli.run_display import Display, shown_name
from penstock.foundation.errors import one_line
from penstock.gating.wording import subject_of

if TYPE_CHECKING:
    from rich.status import Status

    from penstock.tekton.run_json import Event

SHORT = 12
MAX_SUBJECT = 60
MAX_SUSPECTS = 20


class BisectDisplay(Watcher):
    """Shows a bisection while it goes on. Use as a context manager."""

    def __init__(self, asked: Question, *, quiet: bool, verbose: bool, terminal: bool | None = None) -> None:
        self._asked = asked
        self._quiet = quiet
        self._verbose = verbose
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._status: Status | None = None
        self._now = self._place = ""

    def __enter__(self) -> BisectDisplay:
        if self._terminal and not self._quiet and not self._verbose:
            from rich.console import Console

            self._status = Console(stderr=True, highlight=False).status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def begins(self, bisection: Bisection, commit: CommitRecord, position: int, runs_left: int) -> None:
        """See :class:`Watcher`."""
        if position == 0 and not bisection.steps:
            commits = f"{bisection.commits} commit{'s' if bisection.commits > 1 else ''}"
            self._line(f"{self._asked.title}: {commits} after {short(bisection.good)}, {bisection.rule}")
        left = f"at most {runs_left} left if none is skipped" if runs_left > 1 else "the last"
        self._place = f"{position}/{bisection.commits}"
        self._now = f"{self._place} {short(commit)} ({left})"
        if self._status is None:
            self._line(self._now)
        else:
            self._tell("")

    def ends(self, step: BisectStep) -> None:
        """See :class:`Watcher`."""
        # on a terminal nothing was printed when its turn came
        begun = f"{self._place} {short(step.commit)}: " if self._status is not None else "  "
        self._line(f"{begun}{step_line(step, self._asked)}")

    @contextlib.contextmanager
    def run(self) -> Iterator[Callable[[Event], None]]:
        """Takes the engine's events while a commit is run."""
        if self._verbose:
            with Display(quiet=self._quiet) as display:
                yield display
        else:
            yield self._event

    def _event(self, event: Event) -> None:
        if event.kind == "taskrun-started":
            self._tell(shown_name(event))
        elif event.kind == "output" and event.text.startswith('{"time"'):
            with contextlib.suppress(ValueError):
                line = json.loads(event.text)
                if line.get("event") == "progress":
                    self._tell(f"{shown_name(event)} {line.get('done')}/{line.get('total')}")

    def _tell(self, doing: str) -> None:
        if self._status is not None:
            from rich.text import Text

            self._status.update(Text(one_line(f"{self._now} {doing}")))

    def _line(self, text: str) -> None:
        if self._quiet:
            return
        if self._status is not None:
            from rich.text import Text

            self._status.console.print(Text(one_line(text)), soft_wrap=True)
        else:
            sys.stderr.write(one_line(text) + "\n")
            sys.stderr.flush()


def short(commit: CommitRecord) -> str:
    """``1a2b3c4d5e6f Subject``."""
    subject = commit.subject if len(commit.subject) <= MAX_SUBJECT else commit.subject[: MAX_SUBJECT - 1] + "…"
    return one_line(f"{commit.hash[:SHORT]} {subject}")


def step_line(step: BisectStep, asked: Question) -> str:
    """``worse: LSE-D 9.26, +1.35 [+1.2, +1.5]; run now in 3.2 s: why``."""
    numbers = value_and_change(step, asked)
    origin = f"; {step.origin}" if step.origin else ""
    took = f" in {step.seconds:.1f} s" if step.origin == NOW else ""
    return one_line(f"{step.answer}{f': {numbers}' if numbers else ''}{origin}{took}: {step.why}")


def value_and_change(step: BisectStep, asked: Question) -> str:
    """The mean, the change against the good commit and its interval, in the metric's unit."""
    if step.value is None:
        return ""
    subject = subject_of(asked.rule)
    (value,) = subject.amounts(step.value)
    result = step.against_good
    if result is None or result.change is None:
        return f"{asked.title} {value}"
    change, *bounds = subject.amounts(result.change, *(result.interval or ()), signed=True)
    interval = f" [{', '.join(bounds)}]" if bounds else ""
    return f"{asked.title} {value}, {change}{interval}"


def show_end(finished: FinishedBisection, *, as_json: bool) -> None:
    """The answer, on standard output."""
    if as_json:
        sys.stdout.write(finished.bisection.model_dump_json(indent=2) + "\n")
        return
    for line in end_lines(finished.bisection, finished.asked, finished.record):
        sys.stdout.write(one_line(line) + "\n")


def end_lines(bisection: Bisection, asked: Question, record: Path) -> Iterator[str]:
    """The answer in words."""
    by_hash = {step.commit.hash: step for step in bisection.steps}
    bad = by_hash[bisection.bad.hash]
    if bisection.first_bad is not None and bisection.before is not None:
        commit = bisection.first_bad
        yield f"{commit.hash} is the first bad commit"
        yield f"  subject: {commit.subject}"
        yield f"  author:  {commit.author} <{commit.email}>"
        yield f"  date:    {commit.date}"
        if len(commit.parents) > 1:
            yield (
                f"  a merge: to look into it, --bad {commit.parents[1]} "
                f"--good $(git merge-base {commit.parents[0]} {commit.parents[1]})"
            )
        yield from _side("before", by_hash[bisection.before.hash], asked)
        yield from _side("after", by_hash[commit.hash], asked)
        yield f"  why:     {by_hash[commit.hash].why}"
    elif bisection.outcome == "suspects" and bisection.before is not None:
        yield f"one of these {len(bisection.suspects)} commits is the first bad one; the others could not be told:"
        for suspect in bisection.suspects[:MAX_SUSPECTS]:
            yield f"  {suspect.hash} {suspect.subject}"
            if (step := by_hash.get(suspect.hash)) is not None and step.answer == "skipped":
                yield f"    skipped: {step.why}"
        if len(bisection.suspects) > MAX_SUSPECTS:
            yield f"  and {len(bisection.suspects) - MAX_SUSPECTS} more, in the record"
        yield from _side("before", by_hash[bisection.before.hash], asked)
    elif bisection.outcome == "not worse":
        yield f"nothing to find: {short(bisection.bad)} is not worse than {short(bisection.good)}"
        yield f"  {bad.why}"
    else:
        yield f"it cannot be told whether {short(bisection.bad)} is worse than {short(bisection.good)}"
        yield f"  {bad.why}"
    skipped = sum(step.answer == "skipped" for step in bisection.steps)
    yield f"{bisection.runs} run, {bisection.reused} reused, {skipped} skipped; the record: {record}"


def _side(name: str, step: BisectStep, asked: Question) -> Iterator[str]:
    numbers = value_and_change(step, asked)
    yield f"  {f'{name}:':8} {short(step.commit)}{f': {numbers}' if numbers else ''}"
    yield f"           bundle: {step.bundle}"
