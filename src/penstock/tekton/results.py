"""Results of a TaskRun: files that its steps write, their size limit, their types."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from penstock.tekton.manifest_task import StepResult, TaskResult, TaskSpec
from penstock.tekton.params import go_map
from penstock.tekton.records import Result
from penstock.tekton.references import parse_result
from penstock.tekton.values import Value, from_json_text, go_json, type_name

MAX_MESSAGE_BYTES = 4096
"""Kubernetes' limit for what a container can report: all results of the task, and the step's own, as JSON."""
TOO_LARGE = "Termination message is above max allowed size 4096, caused by large task result."
_STARTED_AT = {"key": "StartedAt", "value": "2006-01-02T15:04:05.000Z", "type": 3}


def read_files(directory: Path, declared: Iterable[StepResult]) -> dict[str, str]:
    """The text of each declared result that was written. A file beyond the limit is cut one byte after it."""
    found = {}
    for result in declared:
        path = directory / result.name
        try:
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                found[result.name] = file.read(MAX_MESSAGE_BYTES + 1).decode(errors="replace")
        except OSError:
            continue
    return found


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
