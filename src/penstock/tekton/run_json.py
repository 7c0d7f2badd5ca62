"""What a run leaves behind: each TaskRun with its attempts, steps and results, and the run itself, as JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from penstock.tekton.values import Value

Status = Literal["True", "False", "Unknown"]


@dataclass(frozen=True)
class Event:
    """Something that happened while a run went on.

    ``kind`` is one of ``run-started``, ``task-skipped``, ``taskrun-started``, ``taskrun-retried``, ``step-started``,
    ``output``, ``step-finished``, ``taskrun-finished``, ``taskrun-reused``, ``run-finished``.
    """

    kind: str
    pipeline_task: str = ""
    task_run: str = ""
    step: str = ""
    stream: str = ""
    """Of ``output``: ``stdout`` or ``stderr``."""
    text: str = ""
    """Of ``output`` the line; else the reason."""
    exit_code: int | None = None


OnEvent = Callable[[Event], None]


def ignore_events(_event: Event) -> None:
    """The default listener."""


@dataclass
class Result:
    """A result: ``type`` is ``string``, ``array`` or ``object``."""

    name: str
    type: str
    value: Value


@dataclass
class StepRecord:
    """The end of a step. ``reason`` is ``Completed``, ``Error``, ``Continued``, ``Skipped`` or ``TimeoutExceeded``."""

    name: str
    exit_code: int
    reason: str
    log: str = ""
    started: str = ""
    finished: str = ""
    results: list[Result] = field(default_factory=list)


@dataclass
class Attempt:
    """A failed try of a TaskRun that was tried again."""

    reason: str
    message: str
    exit_code: int | None
    failed_step: str
    steps: list[StepRecord]
    started: str
    finished: str


@dataclass
class TaskRunRecord:
    """One TaskRun. Times are ISO 8601 in UTC, paths are relative to the run's directory."""

    name: str
    pipeline_task: str
    status: Status = "Unknown"
    reason: str = "Pending"
    message: str = ""
    exit_code: int | None = None
    """Of the step that failed, as the process returned it; 0 if the TaskRun succeeded; None if no step decided."""
    failed_step: str = ""
    results: list[Result] = field(default_factory=list)
    steps: list[StepRecord] = field(default_factory=list)
    retries: list[Attempt] = field(default_factory=list)
    started: str = ""
    finished: str = ""
    timed_out_with_run: bool = False
    """It was cancelled because a timeout of the run was reached."""

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.status != "Unknown"

    def result(self, name: str) -> Result | None:
        """The result of this name."""
        return next((result for result in self.results if result.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> TaskRunRecord:
        """Read back what :meth:`to_json` wrote."""
        values = dict(data)
        values["results"] = [Result(**result) for result in values["results"]]
        values["steps"] = [_step(step) for step in values["steps"]]
        values["retries"] = [
            Attempt(**{**attempt, "steps": [_step(step) for step in attempt["steps"]]}) for attempt in values["retries"]
        ]
        return cls(**values)


def _step(data: dict[str, Any]) -> StepRecord:
    return StepRecord(**{**data, "results": [Result(**result) for result in data["results"]]})


@dataclass
class SkippedTask:
    """A pipeline task that was not run. ``reason`` is Tekton's text."""

    name: str
    reason: str
    when_expressions: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class PipelineRunResult:
    """How a run ended."""

    name: str
    pipeline: str
    status: Status
    reason: str
    message: str
    results: list[tuple[str, Value]] = field(default_factory=list)
    skipped_tasks: list[SkippedTask] = field(default_factory=list)
    task_runs: list[TaskRunRecord] = field(default_factory=list)
    started: str = ""
    finished: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the run succeeded (``Succeeded`` or ``Completed``)."""
        return self.status == "True"

    @property
    def refused(self) -> bool:
        """Whether the run failed because of what it was given (parameters, workspaces, references), not in a step."""
        return self.status == "False" and not self.task_runs and self.reason not in ("PipelineRunTimeout", "Failed")

    def to_json(self) -> dict[str, Any]:
        """The run in the shape of a PipelineRun's ``status``; see ``docs/runner.md``."""
        return {
            "pipeline": self.pipeline,
            "name": self.name,
            "status": self.status,
            "reason": self.reason,
            "message": self.message,
            "startTime": self.started,
            "completionTime": self.finished,
            "results": [{"name": name, "value": value} for name, value in self.results],
            "skippedTasks": [
                {"name": task.name, "reason": task.reason, "whenExpressions": task.when_expressions}
                if task.when_expressions
                else {"name": task.name, "reason": task.reason}
                for task in self.skipped_tasks
            ],
            "taskRuns": [_task_run_json(record) for record in self.task_runs],
        }


def _task_run_json(record: TaskRunRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "pipelineTaskName": record.pipeline_task,
        "status": record.status,
        "reason": record.reason,
        "message": record.message,
        "exitCode": record.exit_code,
        "failedStep": record.failed_step,
        "startTime": record.started,
        "completionTime": record.finished,
        "results": [asdict(result) for result in record.results],
        "retriesStatus": [asdict(attempt) for attempt in record.retries],
        "steps": [asdict(step) for step in record.steps],
    }
