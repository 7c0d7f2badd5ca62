"""What Tekton's webhook checks in a PipelineRun."""

from __future__ import annotations

from penstock.tekton.admission import ParamsInReach, validate_given
from penstock.tekton.manifest import (
    Overrides,
    PipelineRunDocument,
    PipelineRunSpec,
    PipelineSpec,
    TaskRunSpecOverride,
    Timeouts,
    WorkspaceBinding,
)
from penstock.tekton.manifest_base import format_duration
from penstock.tekton.manifest_task import Param
from penstock.tekton.problems import Path, Problem, Problems, duplicates, duplicates_in_any_case
from penstock.tekton.references import looks_like_result
from penstock.tekton.step_template import merged_steps
from penstock.tekton.substitution import expressions, value_texts
from penstock.tekton.unsupported import container_path
from penstock.tekton.validation import validate_param_references, validate_params
from penstock.tekton.validation_task import validate_params_in_steps, validate_usage

DEFAULT_TIMEOUT_S = 3600.0
"""Tekton's ``default-timeout-minutes``: of a PipelineRun, and of a TaskRun."""


def validate_run(run: PipelineRunDocument) -> Problems:
    """All problems of a PipelineRun, apart from those of the pipeline inside it."""
    spec = run.spec
    base: Path = ("spec",)
    yield from validate_given(spec.params, base)
    for index, param in enumerate(spec.params):
        here = (*base, "params", index, "value")
        if any(looks_like_result(expression) for expression in expressions(value_texts(param.value))):
            yield Problem(here, "cannot use result expressions as PipelineRun parameter values")
        yield from container_path(param.value, here)
    yield from _timeouts(spec.timeouts, base)
    yield from _overrides(spec, base)
    yield from _workspaces(spec.workspaces, base)
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
        yield from _specs(override, (*base, "taskRunSpecs", index))
        here = (*base, "taskRunSpecs", index, "timeout")
        if override.timeout is not None and override.timeout < 0:
            yield Problem(here, f"{format_duration(override.timeout)} should be >= 0")
        elif override.timeout is not None and limit != 0 and override.timeout > limit:
            yield Problem(here, f"{format_duration(override.timeout)} should be <= {format_duration(limit)}")


def _inline_params(spec: PipelineSpec, params: list[Param], base: Path) -> Problems:
    """Parameters reach down from the run to the pipeline to the tasks inside it: together they must make sense."""
    known = ParamsInReach()
    known.give(params)
    yield from known.declare(spec.params, base)
    for index, task in enumerate(spec.tasks):
        here = (*base, "tasks", index)
        yield from known.give_to_task(task.params, here)
        if task.task_spec is not None:
            yield from known.declare(task.task_spec.params, (*here, "taskSpec"))
    together = known.specs()
    for index, task in enumerate(spec.tasks):
        if task.task_spec is not None and task.task_spec.steps:
            here = (*base, "tasks", index, "taskSpec")
            steps = merged_steps(task.task_spec)
            yield from validate_params_in_steps(steps, together, here)
            yield from validate_usage(steps, together, here)
    if spec.tasks:
        yield from validate_params(together, base)
        yield from validate_param_references(spec.tasks, together, (*base, "tasks"))


def _workspaces(workspaces: list[WorkspaceBinding], base: Path) -> Problems:
    for index in duplicates([workspace.name for workspace in workspaces]):
        what = f"workspace '{workspaces[index].name}' provided by pipelinerun more than once"
        yield Problem((*base, "workspaces", index), what)
    for index, workspace in enumerate(workspaces):
        here = (*base, "workspaces", index)
        sources = workspace.sources()
        if len(sources) != 1:
            got = f"got both: {', '.join(sources)}" if sources else "got neither: emptyDir, volumeClaimTemplate, …"
            yield Problem(here, f"expected exactly one, {got}")
        elif field := workspace.missing_field():
            yield Problem((*here, *field), "missing field")


def _specs(override: TaskRunSpecOverride, path: Path) -> Problems:
    """Resources of single steps and sidecars: who is meant, and that the task does not set its own."""
    for field, specs in (("stepSpecs", override.step_specs), ("sidecarSpecs", override.sidecar_specs)):
        names = [spec.name for spec in specs]
        for index, name in enumerate(names):
            if not name:
                yield Problem((*path, field, index, "name"), "missing field")
        named = [(index, name) for index, name in enumerate(names) if name]
        for number in duplicates_in_any_case([name for _, name in named]):
            index, name = named[number]
            yield Problem((*path, field, index, "name"), f"'{name[:80]}' appears more than once")
    if override.compute_resources is not None and any(_asks(spec) for spec in override.step_specs):
        what = "expected exactly one, got both: stepSpecs.resources, computeResources"
        yield Problem((*path, "computeResources"), what)


def _asks(spec: Overrides) -> bool:
    resources = spec.compute_resources
    return resources is not None and bool(resources.limits or resources.requests or resources.claims)
