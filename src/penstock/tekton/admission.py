"""What Tekton's webhook checks in a TaskRun when the controller creates it, with all values put in.

A pipeline that was admitted can still make a TaskRun that is refused: values hold references, defaults are replaced as
a whole, lists end up empty, and final tasks are not looked at before. A refusal ends the run as ``CreateRunFailed``.
Follows ``pkg/apis/pipeline/v1/taskrun_validation.go`` of Tekton Pipelines v1.15.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.tekton.manifest_base import format_duration
from penstock.tekton.manifest_task import Param, ParamSpec, Property, TaskSpec
from penstock.tekton.problems import Path, Problem, Problems, duplicates_in_any_case, path_text
from penstock.tekton.step_template import merged_steps
from penstock.tekton.validation_task import (
    validate_param_types,
    validate_params_in_steps,
    validate_task,
    validate_usage,
)
from penstock.tekton.values import Value, type_name

_DENIED = 'admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: '


@dataclass(frozen=True)
class TaskRunSpec:
    """The parts of a TaskRun's specification that can be refused once its PipelineRun has been admitted."""

    spec: TaskSpec | None
    """The task that is written inside; nothing if the TaskRun refers to a Task, which was admitted on its own."""
    params: tuple[Param, ...]
    workspaces: tuple[str, ...]
    """The names of the workspaces that it binds."""
    retries: int
    timeout_s: float


def refusal(task_run: TaskRunSpec) -> str:
    """Tekton's message if the TaskRun is refused; else empty."""
    problems = validate_task_run(task_run, ("spec",))
    found = dict.fromkeys(f"{problem.message}: {path_text(problem.path)}" for problem in problems)
    return _DENIED + "; ".join(found) if found else ""


def validate_task_run(task_run: TaskRunSpec, path: Path) -> Problems:
    """All problems of a TaskRun's specification."""
    if task_run.spec is not None:
        here = (*path, "taskSpec")
        yield from validate_task(task_run.spec, here)
        known = ParamsInReach()
        known.give(task_run.params)
        yield from known.declare(task_run.spec.params, here)
        if task_run.spec.steps:
            steps = merged_steps(task_run.spec)
            together = known.specs()
            yield from validate_param_types(together, here)
            yield from validate_params_in_steps(steps, together, here)
            yield from validate_usage(steps, together, here)
    yield from validate_given(task_run.params, path)
    for index in duplicates_in_any_case(list(task_run.workspaces)):
        yield Problem((*path, "workspaces", index, "name"), "expected exactly one, got both")
    if task_run.retries < 0:
        yield Problem((*path, "retries"), f"invalid value: {task_run.retries} should be >= 0")
    if task_run.timeout_s < 0:
        yield Problem((*path, "timeout"), f"invalid value: {format_duration(task_run.timeout_s)} should be >= 0")


def validate_given(params: Iterable[Param], path: Path) -> Problems:
    """Parameters that are given twice to a run; their names count as equal in any case."""
    names = [param.name for param in params]
    for index in duplicates_in_any_case(names):
        yield Problem((*path, "params", index, "name"), f"the parameter '{names[index]}' appears more than once")


class ParamsInReach:
    """Parameters reach from a run down to the steps inside it: those that steps can name, with their types."""

    def __init__(self) -> None:
        self._specs: dict[str, ParamSpec] = {}

    def specs(self) -> list[ParamSpec]:
        """All of them."""
        return list(self._specs.values())

    def give(self, params: Iterable[Param]) -> None:
        """Values that a run gives."""
        for param in params:
            self._specs[param.name] = _as_spec(param.name, param.value)

    def give_to_task(self, params: Iterable[Param], path: Path) -> Problems:
        """Values that a pipeline gives to one of its tasks. Those of the run keep their type."""
        for index, param in enumerate(params):
            before = self._specs.get(param.name)
            if before is None:
                self._specs[param.name] = _as_spec(param.name, param.value)
            elif isinstance(param.value, dict) and param.value:
                if not isinstance(before.default, dict) or before.properties is None:
                    # Tekton's webhook fails here, and what it fails on is not admitted
                    what = f"the parameter '{param.name}' is an object here, but has no object as its value before"
                    yield Problem((*path, "params", index, "value"), what)
                    continue
                properties = {**before.properties, **{key: Property() for key in param.value}}
                self._specs[param.name] = before.model_copy(update={"properties": properties})

    def declare(self, declared: Iterable[ParamSpec], path: Path) -> Problems:
        """Parameters that a pipeline or task declares. What was given wins; only its keys are those declared."""
        for index, param in enumerate(declared):
            before = self._specs.get(param.name)
            if before is None:
                self._specs[param.name] = param
                continue
            wants_keys = isinstance(param.default, dict) or before.type == "object"
            if wants_keys and not param.properties:
                yield Problem((*path, "params", index, "properties"), f"missing field: {param.name}.properties")
            elif isinstance(param.default, dict) and param.default and before.default is None:
                # Tekton's webhook fails here, and what it fails on is not admitted
                what = f"the parameter '{param.name}' is declared before without a default, but has one here"
                yield Problem((*path, "params", index, "default"), what)
            elif before.type == "object":
                self._specs[param.name] = before.model_copy(update={"properties": param.properties})


def _as_spec(name: str, value: Value) -> ParamSpec:
    properties = {key: Property() for key in value} if isinstance(value, dict) else None
    return ParamSpec.model_construct(name=name, type=type_name(value), default=value, properties=properties)
