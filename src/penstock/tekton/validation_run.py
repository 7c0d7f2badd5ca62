"""What Tekton's webhook checks in a PipelineRun."""

from __future__ import annotations

from penstock.tekton.manifest import PipelineRunDocument, PipelineRunSpec, PipelineSpec, Timeouts
from penstock.tekton.manifest_base import format_duration
from penstock.tekton.manifest_task import Param, ParamSpec, Property
from penstock.tekton.problems import Path, Problem, Problems, duplicates
from penstock.tekton.references import looks_like_result
from penstock.tekton.substitution import expressions, value_texts
from penstock.tekton.validation import container_path, validate_param_references
from penstock.tekton.validation_task import (
    validate_array_usage,
    validate_param_names,
    validate_param_specs,
    validate_usage,
)
from penstock.tekton.values import Value, type_name

DEFAULT_TIMEOUT_S = 3600.0
"""Tekton's ``default-timeout-minutes``: of a PipelineRun, and of a TaskRun."""


def validate_run(run: PipelineRunDocument) -> Problems:
    """All problems of a PipelineRun, apart from those of the pipeline inside it."""
    spec = run.spec
    base: Path = ("spec",)
    for index in duplicates([param.name for param in spec.params]):
        yield Problem(
            (*base, "params", index, "name"), f"the parameter '{spec.params[index].name}' appears more than once"
        )
    for index, param in enumerate(spec.params):
        here = (*base, "params", index, "value")
        if any(looks_like_result(expression) for expression in expressions(value_texts(param.value))):
            yield Problem(here, "cannot use result expressions as PipelineRun parameter values")
        yield from container_path(param.value, here)
    yield from _timeouts(spec.timeouts, base)
    yield from _overrides(spec, base)
    for index in duplicates([workspace.name for workspace in spec.workspaces]):
        name = spec.workspaces[index].name
        yield Problem((*base, "workspaces", index), f"workspace '{name}' provided by pipelinerun more than once")
    for index, workspace in enumerate(spec.workspaces):
        if len(workspace.sources()) > 1:
            yield Problem(
                (*base, "workspaces", index), f"expected exactly one, got both: {', '.join(workspace.sources())}"
            )
    if spec.pipeline_spec is not None:
        yield from _inline_params(spec.pipeline_spec, spec.params, (*base, "pipelineSpec"))


def _timeouts(timeouts: Timeouts, base: Path) -> Problems:
    whole = DEFAULT_TIMEOUT_S if timeouts.pipeline is None else timeouts.pipeline
    parts = (("tasks", timeouts.tasks), ("finally", timeouts.finally_tasks))
    for field, value in (*parts, ("pipeline", timeouts.pipeline)):
        if value is not None and value < 0:
            yield Problem((*base, "timeouts", field), f"{format_duration(value)} should be >= 0")
    for field, value in parts:
        if value is not None and whole != 0 and (value > whole or value == 0):
            yield Problem((*base, "timeouts", field), f"{format_duration(value)} should be <= pipeline duration")
    if timeouts.tasks is not None and timeouts.finally_tasks is not None:
        total = timeouts.tasks + timeouts.finally_tasks
        if total > whole:
            both = f"{format_duration(timeouts.tasks)} + {format_duration(timeouts.finally_tasks)}"
            yield Problem((*base, "timeouts", "tasks"), f"{both} should be <= pipeline duration")


def _overrides(spec: PipelineRunSpec, base: Path) -> Problems:
    limit = spec.timeouts.tasks if spec.timeouts.tasks is not None else spec.timeouts.pipeline
    limit = DEFAULT_TIMEOUT_S if limit is None else limit
    for index, override in enumerate(spec.task_run_specs):
        here = (*base, "taskRunSpecs", index, "timeout")
        if override.timeout is not None and override.timeout < 0:
            yield Problem(here, f"{format_duration(override.timeout)} should be >= 0")
        elif override.timeout is not None and limit != 0 and override.timeout > limit:
            yield Problem(here, f"{format_duration(override.timeout)} should be <= {format_duration(limit)}")


def _inline_params(spec: PipelineSpec, params: list[Param], base: Path) -> Problems:
    """Parameters reach down from the run to the pipeline to the tasks inside it: together they must make sense."""
    known: dict[str, ParamSpec] = {}
    for param in params:
        known[param.name] = _as_spec(param.name, param.value)
    for declared in spec.params:
        known[declared.name] = _combine(declared, known.get(declared.name))
    for task in spec.tasks:
        for given in task.params:
            before = known.get(given.name)
            if before is None:
                known[given.name] = _as_spec(given.name, given.value)
            elif isinstance(given.value, dict):
                properties = {**(before.properties or {}), **{key: Property() for key in given.value}}
                known[given.name] = before.model_copy(update={"properties": properties})
        for declared in task.task_spec.params if task.task_spec else ():
            known[declared.name] = _combine(declared, known.get(declared.name))
    together = list(known.values())
    for index, task in enumerate(spec.tasks):
        if task.task_spec is not None:
            here = (*base, "tasks", index, "taskSpec")
            yield from validate_usage(task.task_spec.steps, together, here)
            arrays = [param.name for param in together if param.type == "array"]
            yield from validate_array_usage(task.task_spec.steps, arrays, here)
    yield from validate_param_specs(together, base)
    if any(task.task_spec is not None for task in spec.tasks):
        yield from validate_param_names(together, base)
    yield from validate_param_references(spec.tasks, together, (*base, "tasks"))


def _as_spec(name: str, value: Value) -> ParamSpec:
    kind = type_name(value)
    properties = {key: Property() for key in value} if isinstance(value, dict) else None
    return ParamSpec.model_validate({"name": name, "type": kind, "default": value, "properties": None}).model_copy(
        update={"properties": properties}
    )


def _combine(declared: ParamSpec, before: ParamSpec | None) -> ParamSpec:
    """What was given wins, with its type; only the keys of an object are those that are declared."""
    if before is None:
        return declared
    return before.model_copy(update={"properties": declared.properties}) if before.type == "object" else before
