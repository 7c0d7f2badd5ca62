"""How a run ends: its condition in Tekton's words, the skipped tasks, the results of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from penstock.tekton.manifest import PipelineSpec
from penstock.tekton.manifest_base import format_duration
from penstock.tekton.manifest_task import When
from penstock.tekton.params import go_list
from penstock.tekton.references import split_index
from penstock.tekton.run_json import Result, SkippedTask, Status
from penstock.tekton.run_state import (
    FINALLY_TIMED_OUT,
    NOT_SKIPPED,
    RUN_TIMED_OUT,
    TASKS_TIMED_OUT,
    WHEN_FALSE,
    Facts,
    Node,
    status_of,
)
from penstock.tekton.substitution import Replacements, expressions, replace_value, value_texts
from penstock.tekton.values import Value


@dataclass(frozen=True)
class Condition:
    """The run's condition ``Succeeded``."""

    status: Status
    reason: str
    message: str


@dataclass(frozen=True)
class RunTimeouts:
    """The run's timeouts in seconds; 0 means no timeout, None is not set."""

    run: float
    tasks: float | None
    finals: float | None


def condition(facts: Facts, run: str, limits: RunTimeouts) -> Condition:
    """The condition of the run as it is now; its status is ``Unknown`` while there is something to do."""
    if facts.clock.run:
        message = f'PipelineRun "{run}" failed to finish within "{format_duration(limits.run)}"'
        return Condition("False", "PipelineRunTimeout", message)
    if facts.clock.tasks and facts.finals_done:
        what = f'PipelineRun "{run}" failed due to tasks failed to finish within "{format_duration(limits.tasks or 0)}"'
        return Condition("False", "PipelineRunTimeout", what)
    counts = dict.fromkeys(("succeeded", "failed", "ignored", "cancelled", "skipped", "late", "invalid", "open"), 0)
    for node in facts.nodes:
        for kind in _count(facts, node):
            counts[kind] += 1
    failed = counts["failed"] + counts["ignored"]
    completed = counts["succeeded"] + failed + counts["cancelled"]
    if counts["open"]:
        message = (
            f"Tasks Completed: {completed} (Failed: {counts['failed']}, Cancelled {counts['cancelled']}),"
            f" Incomplete: {counts['open']}, Skipped: {counts['skipped']}"
        )
        return Condition("Unknown", "Running", message)
    ignored = f" (Ignored: {counts['ignored']})" if counts["ignored"] else ""
    message = (
        f"Tasks Completed: {completed} (Failed: {failed}{ignored}, Cancelled {counts['cancelled']}),"
        f" Skipped: {counts['skipped']}"
    )
    if counts["invalid"]:
        message += f", Failed Validation: {counts['invalid']}"
        errors = "; ".join(facts.invalid[name] for name in sorted(facts.invalid))
        message += f" ({errors[:1024] + '...' if len(errors) > 1024 else errors})"
        return Condition("False", "PipelineValidationFailed", message)
    if counts["failed"] or counts["late"]:
        return Condition("False", "Failed", message)
    if counts["cancelled"]:
        return Condition("False", "Cancelled", message)
    return Condition("True", "Completed" if counts["skipped"] else "Succeeded", message)


def _count(facts: Facts, node: Node) -> tuple[str, ...]:
    if node.successful:
        return ("succeeded",)
    if node.scheduled and node.cancelled(for_timeout=True):
        return ("failed",)
    if node.scheduled and node.cancelled(for_timeout=False):
        return ("cancelled",)
    if node.failed:
        return ("ignored" if node.ignores_failure else "failed",)
    if node.name in facts.invalid:
        return ("invalid",)
    reasons = {facts.skipped(node), facts.final_skipped(node)} - {NOT_SKIPPED}
    if reasons & {RUN_TIMED_OUT, TASKS_TIMED_OUT, FINALLY_TIMED_OUT}:
        return ("skipped", "late")
    return ("skipped",) if reasons else ("open",)


def skipped_tasks(facts: Facts) -> list[SkippedTask]:
    """The tasks that were skipped, in the order of the pipeline."""
    skipped = []
    for node in facts.nodes:
        when = [_when(item) for item in node.task.when]
        if (reason := facts.skipped(node)) != NOT_SKIPPED:
            skipped.append(SkippedTask(node.name, reason, when))
        if (reason := facts.final_skipped(node)) != NOT_SKIPPED:
            skipped.append(SkippedTask(node.name, reason, when if reason == WHEN_FALSE else []))
    return skipped


def _when(when: When) -> dict[str, Any]:
    return {"input": when.input, "operator": when.operator, "values": list(when.values)}


def pipeline_results(spec: PipelineSpec, facts: Facts) -> tuple[list[tuple[str, Value]], str]:
    """The results of the pipeline, and Tekton's message if one of them refers to a result that is not there.

    A result that refers to a task that failed or was skipped is left out without a message.
    """
    found = facts.task_results()
    statuses = status_of(facts.nodes)
    known = Replacements()
    results: list[tuple[str, Value]] = []
    invalid: list[str] = []
    for result in spec.results:
        variables = expressions(value_texts(result.value))
        if not variables:
            continue
        good = True
        for variable in variables:
            if variable in known.strings:
                continue
            verdict = _variable(variable, found, statuses, known)
            good = good and verdict == "found"
            if verdict == "invalid":
                invalid.append(result.name)
        if good:
            results.append((result.name, replace_value(result.value, known)))
    if invalid:
        return results, f"invalid pipelineresults {go_list(invalid)}, the referenced results don't exist"
    return results, ""


def _variable(variable: str, found: dict[str, list[Result]], statuses: dict[str, str], known: Replacements) -> str:
    """Note what a variable stands for. Returns ``found``, ``left out`` or ``invalid``."""
    parts = variable.split(".")
    if parts[0] not in ("tasks", "finally") or len(parts) not in (4, 5) or parts[2] != "results":
        return "invalid"
    name, index = split_index(parts[3])
    value = next((result.value for result in found.get(parts[1], []) if result.name == name), None)
    if value is None:
        return "left out" if statuses.get(parts[1], "Succeeded") != "Succeeded" else "invalid"
    base = variable.removesuffix("[*]")
    if len(parts) == 5:
        if not isinstance(value, dict) or parts[4] not in value:
            return "invalid"
        known.strings[variable] = value[parts[4]]
    elif isinstance(value, str):
        known.strings[variable] = value
    elif isinstance(value, dict):
        known.objects[base] = value
    elif index == "*":
        known.arrays[base] = value
    else:
        number = int(index) if index else 0
        if number >= len(value):
            return "invalid"
        known.strings[variable] = value[number]
    return "found"
