"""Results of a TaskRun: files that its steps write, their size limit, their types."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from penstock.tekton.manifest_task import StepResult, TaskResult, TaskSpec
from penstock.tekton.params import go_map
from penstock.tekton.references import parse_result
from penstock.tekton.run_json import Result
from penstock.tekton.values import Value, from_json_text, go_json, type_name

MAX_MESSAGE_BYTES = 4096
"""Kubernetes' limit for what a container can report: all results of the task, and the step's own, as JSON."""
TOO_LARGE = "Termination message is above max allowed size 4096, caused by large task result."
_STARTED_AT = {"key": "StartedAt", "value": "2006-01-02T15:04:05.000Z", "type": 3}


class UnreadableResultError(Exception):
    """A result is there and cannot be read: the step that left it fails. The message says which and why."""


def read_files(directory: Path, declared: Iterable[StepResult]) -> dict[str, str]:
    """The text of each declared result that was written. A file beyond the limit is cut one byte after it.

    Raises:
        UnreadableResultError: one of them is a directory, or cannot be read for another reason.
    """
    found = {}
    for result in declared:
        text = read_file(directory / result.name)
        if text is not None:
            found[result.name] = text
    return found


def read_file(path: Path) -> str | None:
    """The text of a result; nothing if there is none. Links are followed: what a step can read it may hand on.

    Raises:
        UnreadableResultError: it is no regular file, or cannot be read. A cluster waits for a pipe until the timeout.
    """
    try:
        # O_NONBLOCK: a pipe must not make us wait for a writer
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable("open", path, error.errno) from error
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise _unreadable("read", path, errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_MESSAGE_BYTES + 1).decode(errors="replace")
    except OSError as error:
        raise _unreadable("read", path, error.errno) from error
    finally:
        os.close(descriptor)


def _unreadable(doing: str, path: Path, number: int | None) -> UnreadableResultError:
    return UnreadableResultError(f"{doing} {path}: {os.strerror(number or errno.EIO).lower()}")


def too_large(task: dict[str, str], step: dict[str, str]) -> bool:
    """Whether what a step reports is more than Kubernetes carries."""
    entries: list[dict[str, Any]] = [{"key": key, "value": value, "type": 1} for key, value in task.items()]
    entries += [{"key": key, "value": value, "type": 4} for key, value in step.items()]
    # the order of the fields does not change the size
    return len(go_json([*entries, _STARTED_AT]).encode()) > MAX_MESSAGE_BYTES


def typed(declared: StepResult, text: str) -> Result:
    """A result as Tekton reads it: a declared string stays the text that was written, others are JSON."""
    value: Value = text if declared.type == "string" else from_json_text(text)
    return Result(declared.name, type_name(value), value)


def collect(spec: TaskSpec, task_files: dict[str, str], step_results: dict[str, list[Result]]) -> list[Result]:
    """The results of a TaskRun, in the order in which they were written.

    Args:
        spec: the task.
        task_files: the text of each result that was read.
        step_results: the results of each step, by its name.
    """
    declared = {result.name: result for result in spec.results}
    found = {name: typed(declared[name], text) for name, text in task_files.items()}
    for result in spec.results:
        source = step_source(result)
        for step_result in step_results.get(source[0], []) if source else ():
            if source and step_result.name == source[1]:
                found[result.name] = Result(result.name, step_result.type, step_result.value)
    return list(found.values())


def step_source(result: TaskResult) -> tuple[str, str] | None:
    """The step and the result that a task's result is taken from."""
    if not isinstance(result.value, str) or not result.value:
        return None
    ref = parse_result(result.value.removeprefix("$(").removesuffix(")"), ("steps",))
    return (ref.task, ref.result) if ref else None


def check(spec: TaskSpec, results: list[Result]) -> tuple[list[Result], str]:
    """The results that have their declared type, and Tekton's message about the others (empty if there are none)."""
    types = {result.name: result.type for result in spec.results}
    wrong = [result for result in results if result.type != types.get(result.name, result.type)]
    good = [result for result in results if result not in wrong]
    if wrong:
        parts = [
            f' "{result.name}": task result is expected to be "{types[result.name]}" type but was initialized to a'
            f' different type "{result.type}"'
            for result in wrong
        ]
        what = "Provided results don't match declared results; may be invalid JSON or missing result declaration: "
        return good, what + ",".join(sorted(parts))
    missing = {}
    for declared in spec.results:
        result = next((result for result in good if result.name == declared.name), None)
        if declared.type == "object" and result is not None and isinstance(result.value, dict):
            keys = [key for key in declared.properties or () if key not in result.value]
            if keys:
                missing[declared.name] = keys
    if missing:
        return good, f"missing keys for these results which are required in TaskResult's properties {go_map(missing)}"
    return good, ""
