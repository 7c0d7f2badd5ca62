"""Running the steps of one attempt of a TaskRun, one after the other, as Tekton's entrypoint does."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree
from penstock.tekton import results as result_files
from penstock.tekton.manifest_task import Container, Step, TaskSpec, When
from penstock.tekton.references import STEP_RESULT, ResultRef, parse_result
from penstock.tekton.run_json import Event, OnEvent, Result, StepRecord
from penstock.tekton.step_log import StepLog
from penstock.tekton.substitute_task import Places, container_name
from penstock.tekton.substitution import expand
from penstock.tekton.supervisor import Command, Ending, Outcome, Stop, run_command
from penstock.tekton.values import Value, from_json_text

PREAMBLE = "#!/bin/sh\nset -e\n"


def now_text() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Surroundings:
    """What the processes of one attempt share."""

    places: Places
    logs: Path
    environment: Mapping[str, str]
    writable: tuple[Path, ...]
    """Directories in which a missing working directory is made."""
    emit: OnEvent
    pipeline_task: str
    task_run: str
    stop: Stop
    deadline: float | None
    run_dir: Path
    attempt: int


@dataclass
class StepsOutcome:
    """How the steps of an attempt ended."""

    steps: list[StepRecord] = field(default_factory=list)
    task_files: dict[str, str] = field(default_factory=dict)
    step_results: dict[str, list[Result]] = field(default_factory=dict)
    ending: Ending = Ending.EXITED
    """STOPPED or TIMED_OUT if the TaskRun as a whole was ended."""
    failed: StepRecord | None = None
    timed_out_step: bool = False


class StepFaultError(Exception):
    """A step cannot be started: the message says why."""


def environment_of(container: Container, base: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The environment of a process, and the variables that ``$(NAME)`` in its arguments can name."""
    own: dict[str, str] = {}
    for env in container.env:
        own[env.name] = expand(env.value, own.get)
    return {**base, **own}, own


def command_of(container: Container, script: str, place: Path, own: Mapping[str, str]) -> list[str]:
    """The arguments of the process: the command and args, or the script's file and the args."""
    args = [expand(argument, own.get) for argument in container.args]
    if not script:
        return [expand(argument, own.get) for argument in container.command] + args
    text = script if script.strip().startswith("#!") else PREAMBLE + script
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode(errors="surrogateescape"))
        place.chmod(0o755)
    return [str(place), *args]


def working_directory(container: Container, default: Path, writable: tuple[Path, ...]) -> Path:
    """Where the process starts: an empty directory of its own unless the manifest says another."""
    if not container.working_dir:
        with disk_errors(default):
            default.mkdir(parents=True, exist_ok=True)
        return default
    path = Path(container.working_dir)
    if not path.is_absolute():
        raise StepFaultError(f"the workingDir '{container.working_dir}' is relative: there is no /workspace here")
    if not path.is_dir():
        resolved = path.resolve()
        if not any(resolved.is_relative_to(directory.resolve()) for directory in writable):
            raise StepFaultError(f"the workingDir '{container.working_dir}' is not there, and in no workspace")
        with disk_errors(path):
            path.mkdir(parents=True, exist_ok=True)
    return path


def run_steps(spec: TaskSpec, around: Surroundings) -> StepsOutcome:
    """Run the steps in order; what comes after a failed step is skipped.

    Args:
        spec: the task, with all values in it.
        around: directories, environment, who listens, when it has to end.

    Raises:
        WorldError: the disk or the process table is full.
    """
    outcome = StepsOutcome()
    names = [container_name(step.name, index) for index, step in enumerate(spec.steps)]
    with disk_errors(around.places.root):
        around.places.results.mkdir(parents=True, exist_ok=True)
        around.places.credentials.mkdir(exist_ok=True)
        for name in names:
            (around.places.step(name) / "results").mkdir(parents=True, exist_ok=True)
    stopped = False
    for index, step in enumerate(spec.steps):
        if stopped:
            record = StepRecord(_short(names[index]), 1, "Skipped")
        else:
            record, stopped = _Run(spec, step, names[index], index, around, outcome).run()
        outcome.steps.append(record)
        failed = record.exit_code and record.reason != "Continued"
        if failed and outcome.failed is None and outcome.ending is Ending.EXITED:
            outcome.failed = record
        if outcome.ending is not Ending.EXITED:
            break
    return outcome


def _short(name: str) -> str:
    return name.removeprefix("step-")


class _Run:
    """One step."""

    def __init__(
        self, spec: TaskSpec, step: Step, name: str, index: int, around: Surroundings, outcome: StepsOutcome
    ) -> None:
        self.spec = spec
        self.step = step
        self.name = name
        self.index = index
        self.around = around
        self.outcome = outcome

    def run(self) -> tuple[StepRecord, bool]:
        """Run it. Returns its record, and whether the steps after it are skipped."""
        around = self.around
        suffix = f".retry-{around.attempt}" if around.attempt else ""
        path = around.logs / f"{_short(self.name)}{suffix}.log"
        record = StepRecord(_short(self.name), 0, "Completed", str(path.relative_to(around.run_dir)), now_text())
        self._emit("step-started")

        def show(stream: str, line: str) -> None:
            self._emit("output", stream=stream, text=line)

        with StepLog(path, show) as log:
            skip = self._execute(record, log)
        record.finished = now_text()
        self._emit("step-finished", text=record.reason, exit_code=record.exit_code)
        return record, skip

    def _emit(self, kind: str, *, stream: str = "", text: str = "", exit_code: int | None = None) -> None:
        around = self.around
        step = _short(self.name)
        around.emit(Event(kind, around.pipeline_task, around.task_run, step, stream, text, exit_code))

    def _execute(self, record: StepRecord, log: StepLog) -> bool:
        around, step = self.around, self.step
        environment, own = environment_of(step, around.environment)
        try:
            script = around.places.root / "scripts" / f"script-{self.index}"
            argv = command_of(step, step.script, script, own)
            when = list(step.when)
            try:
                environment, when, argv = self._step_results(environment, when, argv)
            except IndexError as error:
                log.say(f"panic: {error}")
                record.exit_code, record.reason = 2, "Error"
                return True
            if not all((item.input in item.values) == (item.operator == "in") for item in when):
                log.say("Step was skipped due to when expressions were evaluated to false.")
                record.reason = "Skipped"
                self._write_exit_code("0")
                return False
            cwd = working_directory(step, around.places.root / "cwd" / self.name, around.writable)
        except StepFaultError as fault:
            log.say(str(fault))
            record.exit_code, record.reason = 1, "Error"
            return True
        return self._process(Command(argv, environment, cwd), record, log)

    def _process(self, command: Command, record: StepRecord, log: StepLog) -> bool:
        around = self.around
        own_deadline = None
        if self.step.timeout:
            own_deadline = time.monotonic() + self.step.timeout
        deadlines = [deadline for deadline in (own_deadline, around.deadline) if deadline is not None]
        deadline = min(deadlines) if deadlines else None
        result = run_command(command, sink=log.write, stop=around.stop, deadline=deadline)
        if result.ending is Ending.STOPPED or (result.ending is Ending.TIMED_OUT and deadline == around.deadline):
            self.outcome.ending = result.ending
            record.exit_code = 1
            record.reason = "TaskRunTimeout" if result.ending is Ending.TIMED_OUT else "TaskRunCancelled"
            return True
        skip = self._judge(result, record, log)
        if fault := self._collect(record):
            # the entrypoint fails after it has let the next step start; a code that it had noted before stays
            log.say(fault)
            record.exit_code, record.reason = record.exit_code if record.reason == "Continued" else 1, "Error"
        return skip

    def _judge(self, result: Outcome, record: StepRecord, log: StepLog) -> bool:
        if result.ending is Ending.TIMED_OUT:
            log.say("context deadline exceeded")
            record.exit_code, record.reason = 1, "TimeoutExceeded"
            self.outcome.timed_out_step = self.outcome.timed_out_step or self.outcome.failed is None
            return True
        if result.ending is Ending.NOT_STARTED:
            log.say(f"Error executing command: {result.error}")
            record.exit_code, record.reason = 1, "Error"
            return True
        if result.exit_code == 0:
            self._write_exit_code("0")
            return False
        if self.step.on_error == "continue":
            # the container ends with 0; only the record and the file know the real code, in Go's words: -1 for a signal
            record.exit_code, record.reason = -1 if result.signalled else result.exit_code, "Continued"
            self._write_exit_code(str(record.exit_code))
            return False
        record.exit_code, record.reason = result.exit_code, "Error"
        return True

    def _write_exit_code(self, text: str) -> None:
        path = self.around.places.step(self.name) / "exitCode"
        with disk_errors(path):
            path.write_text(text)

    def _collect(self, record: StepRecord) -> str:
        """Take over the results that are there now. Returns why the step fails for them; empty if it does not."""
        places = self.around.places
        declared = [result for result in self.spec.results if result.value is None]
        task: dict[str, str] = {}
        own: dict[str, str] = {}
        fault = ""
        try:
            task = result_files.read_files(places.results, declared)
            own = result_files.read_files(places.step(self.name) / "results", self.step.results)
        except result_files.UnreadableResultError as error:
            fault = f"Error executing command: {error}"
        if result_files.too_large(task, own):
            return result_files.TOO_LARGE
        self.outcome.task_files.update(task)
        types = {result.name: result for result in self.step.results}
        record.results = [result_files.typed(types[name], text) for name, text in own.items()]
        self.outcome.step_results[_short(self.name)] = record.results
        return fault

    def _step_results(
        self, environment: dict[str, str], when: list[When], argv: list[str]
    ) -> tuple[dict[str, str], list[When], list[str]]:
        """Put in results of earlier steps. Like Tekton, a result that is missing leaves what comes after as it is."""
        try:
            environment = {name: self._text(value) for name, value in environment.items()}
            when = [
                item.model_copy(
                    update={
                        "values": [new for text in item.values for new in self._items(text)],
                        "input": self._text(item.input),
                    }
                )
                for item in when
            ]
            argv = [new for text in argv for new in self._items(text)]
        except LookupError as error:
            if isinstance(error, IndexError):
                raise
        return environment, when, argv

    def _text(self, text: str) -> str:
        for found in dict.fromkeys(match.group() for match in STEP_RESULT.finditer(text)):
            value = self._lookup(found)
            text = text.replace(found, value if isinstance(value, str) else "")
        return text

    def _items(self, text: str) -> list[str]:
        for found in dict.fromkeys(match.group() for match in STEP_RESULT.finditer(text)):
            value = self._lookup(found)
            if isinstance(value, list) and value:
                if text != found:
                    raise LookupError(found)
                return value
            text = text.replace(found, value if isinstance(value, str) else "")
        return [text]

    def _lookup(self, reference: str) -> Value:
        ref = parse_result(reference.removeprefix("$(").removesuffix(")"), ("steps",))
        if ref is None or "/" in ref.task + ref.result or ref.result.startswith("."):
            raise LookupError(reference)
        try:
            text = result_files.read_file(self.around.places.step(f"step-{ref.task}") / "results" / ref.result)
        except result_files.UnreadableResultError:
            raise LookupError(reference) from None
        if text is None:
            raise LookupError(reference)
        return _part(from_json_text(text), ref)


def _part(value: Value, ref: ResultRef) -> Value:
    if ref.key:
        return value.get(ref.key, "") if isinstance(value, dict) else ""
    if ref.index is not None:
        items = value if isinstance(value, list) else []
        if ref.index >= len(items):
            raise IndexError(f"runtime error: index out of range [{ref.index}] with length {len(items)}")
        return items[ref.index]
    if ref.whole:
        return value if isinstance(value, list) else ""
    return value if isinstance(value, str) else ""


def clean(directory: Path) -> None:
    """Remove what an earlier attempt left."""
    for name in ("results", "steps", "scripts", "cwd", "empty", "credentials"):
        discard_tree(directory / name)
