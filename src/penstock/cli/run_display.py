"""What a person sees while a pipeline runs: bars on a terminal, plain lines elsewhere. Always on standard error."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from penstock.foundation.errors import ExitCode, printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from penstock.tekton.run_json import Event

QUIET = {"progress", "done", "interrupted", "archived", "published", "notified"}
"""Events of our own steps that are shown as progress, or that the end of the run tells, not as text."""
TROUBLE = ("error", "bug")
SETTLED = (ExitCode.REJECTED, ExitCode.USAGE, ExitCode.INCONCLUSIVE)
"""Exit codes of a step that another try cannot change."""
VERDICTS = {ExitCode.REJECTED: "rejected", ExitCode.INCONCLUSIVE: "inconclusive"}
SKIPPED = "task-skipped"
ONLY_BESIDE = (
    *("clone-released", "weights-released", "infer-turns", "infer-released", "infer-released-again", "infer-again"),
    *("collect-released", "measure-released"),
)
"""Tasks of the release pipeline that are there for ``baseline: rerun``."""
ONLY_AGAIN = ("outputs-released", "measure-again")
"""Those that are there for a stored baseline whose values were computed in another arithmetic."""
ONLY_WITH_PAGE = ("browse", "browse-with-card")
"""Those that try the model's own page, without and with a card."""
ONLY_WITH_EXPORT = ("export",)
"""The one that compares an exported file with the trained weights."""
ONLY_WITH_INTERFACE = ("interface",)
"""The one that tests the service against its OpenAPI document."""
ONLY_WITH_LOAD = ("load", "load-released", "load-released-again", "load-again")
"""Those that put the service under load: the first, or with ``baseline: rerun`` all of them in turn."""
ONLY_SOMETIMES = (
    *(*ONLY_BESIDE, *ONLY_AGAIN, *ONLY_WITH_PAGE),
    *(*ONLY_WITH_EXPORT, *ONLY_WITH_INTERFACE, *ONLY_WITH_LOAD),
)
"""Nobody misses these where they are skipped."""


class Display:
    """Takes the runner's events, from any of its threads. Use as a context manager."""

    def __init__(self, *, quiet: bool = False, terminal: bool | None = None) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty() if terminal is None else terminal
        self._lock = threading.Lock()
        self._started: dict[str, float] = {}
        self._bars: dict[str, TaskID] = {}
        self._troubles: set[str] = set()
        self._settled: dict[str, int] = {}
        self._skipped: list[str] = []
        self._faults: list[str] = []
        self._progress: Progress | None = None

    def __enter__(self) -> Display:
        if self._terminal and not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (
                SpinnerColumn(),
                TextColumn("{task.description:10}"),
                BarColumn(bar_width=30),
                TextColumn("{task.fields[said]}"),
            )
            self._progress = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True))
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tell_skipped()
        if self._progress is not None:
            self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Show one event. ``quiet`` shows only what went wrong."""
        with self._lock:
            name = shown_name(event)
            if event.kind != SKIPPED:
                self._tell_skipped()
            if self._quiet:
                if event.kind == "output":
                    self._trouble(name, _our_line(event.text))
                return
            if event.kind == "taskrun-started":
                self._started[event.task_run] = time.monotonic()
                self._bar(name)
            elif event.kind == "output":
                self._output(name, event.step, event.text)
            elif event.kind == "taskrun-finished":
                seconds = time.monotonic() - self._started.get(event.task_run, time.monotonic())
                self._end(name, f"{self._word(name, event)} in {seconds:.1f} s")
            elif event.kind == "taskrun-reused":
                self._end(name, "done before")
            elif event.kind == SKIPPED and event.pipeline_task not in ONLY_SOMETIMES:
                self._skipped.append(name)
            elif event.kind == "taskrun-retried" and name not in self._settled:
                self._line(f"{name}: tried again: {event.text}")

    def _word(self, name: str, event: Event) -> str:
        """How a task ended."""
        if event.text in ("Succeeded", "Completed"):
            return "done"
        return VERDICTS.get(ExitCode(self._settled[name]), "failed") if name in self._settled else event.text

    def _tell_skipped(self) -> None:
        """One line for all tasks that were not run because of the same thing."""
        if self._skipped and not self._quiet:
            self._line(f"not run: {', '.join(self._skipped)}")
        self._skipped = []

    def _bar(self, name: str) -> None:
        if self._progress is None:
            self._line(f"{name}: started")
        elif name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=None, said="")

    def _end(self, name: str, said: str) -> None:
        if self._progress is None:
            self._line(f"{name}: {said}")
            return
        self._bar(name)
        self._progress.update(self._bars[name], total=1, completed=1, said=printable(said))
        self._progress.stop_task(self._bars[name])

    def _output(self, name: str, step: str, text: str) -> None:
        line = _our_line(text)
        if line is None:
            self._line(f"[{name} : {step}] {text}")
        elif line["event"] == "progress" and isinstance(line.get("done"), int) and isinstance(line.get("total"), int):
            self._advance(name, line["done"], line["total"], str(line.get("what", "")))
        elif line["event"] in TROUBLE:
            self._trouble(name, line)
        elif line["event"] == "log":
            self._line(f"{name}: {line.get('message', '')}")
        elif line["event"] == "fault" and line.get("warning"):
            self._line(f"{name}: {line.get('what', '')}")
        elif line["event"] == "fault":
            # the error that ends the step repeats one of the faults: the others follow it
            self._faults += [] if line.get("repeated") else [str(line.get("what", ""))]
        elif line["event"] not in QUIET:
            told = {key: value for key, value in line.items() if key not in ("event", "time")}
            rest = ", ".join(str(value) if key == "what" else f"{key} {value}" for key, value in told.items())
            self._line(f"{name}: {line['event']}: {rest}")

    def _trouble(self, name: str, line: dict[str, Any] | None) -> None:
        """Show an error; the same one of a second try is not shown again."""
        # a step that was told to stop says so, but that is not what went wrong
        if line is not None and line["event"] in TROUBLE and line.get("exit_code") != ExitCode.INTERRUPTED:
            if line.get("exit_code") in SETTLED:
                if name in self._settled:
                    return  # the second try of what cannot change
                self._settled[name] = line["exit_code"]
                if line["exit_code"] in VERDICTS:
                    return  # the end of the run says it
            text = f"{name}: {line['event']}: {line.get('error', '')}"
            # times and process ids differ from try to try
            alike = re.sub(r"\d+", "0", text)
            self._line(f"{name}: the same error again" if alike in self._troubles else text)
            self._troubles.add(alike)
            for fault in self._faults:
                self._line(f"{name}: {fault}")
            self._faults = []

    def _advance(self, name: str, done: int, total: int, what: str) -> None:
        if self._progress is None:
            self._line(f"{name}: {done}/{total} {what}")
        elif name in self._bars:
            self._progress.update(self._bars[name], total=max(total, 1), completed=done, said=printable(what))

    def _line(self, text: str) -> None:
        text = printable(text)
        if self._progress is not None:
            from rich.text import Text

            self._progress.console.print(Text(text))
        else:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()


def progress_line(text: str, *, quiet: bool) -> None:
    """Say on standard error what goes on beside the steps."""
    if not quiet:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def shown_name(event: Event) -> str:
    """The task's name; with the number of its TaskRun if the task fans out: ``infer-0``."""
    numbered = re.search(rf"-({re.escape(event.pipeline_task)}-\d+)$", event.task_run)
    return numbered[1] if event.pipeline_task and numbered else event.pipeline_task


def _our_line(text: str) -> dict[str, Any] | None:
    """A log line of one of our own steps; ``None`` for anything else that a step writes."""
    if not text.startswith('{"time"'):
        return None
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("event"), str) else None
