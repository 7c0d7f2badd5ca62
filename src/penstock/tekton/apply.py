"""Putting values into a task's specification, in the passes and the order of Tekton's TaskRun controller."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from penstock.tekton.manifest_task import Container, Param, ParamSpec, Sidecar, Step, TaskSpec, When
from penstock.tekton.substitution import (
    TASK_PARAM_PATTERNS,
    Replacements,
    references,
    replace,
    replace_items,
    replace_value,
    replace_when_input,
    replace_when_values,
)

C = TypeVar("C", bound=Container)


def replace_params(params: Iterable[Param], replacements: Replacements) -> list[Param]:
    """Parameters with their values replaced."""
    return [param.model_copy(update={"value": replace_value(param.value, replacements)}) for param in params]


def replace_when(when: Iterable[When], replacements: Replacements) -> list[When]:
    """A ``when`` with its inputs and values replaced."""
    return [
        expression.model_copy(
            update={
                "input": replace_when_input(expression.input, replacements),
                "values": replace_when_values(expression.values, replacements),
            }
        )
        for expression in when
    ]


def replace_container(container: C, replacements: Replacements) -> C:
    """All texts of a container replaced; of steps and sidecars the script too, of steps ``onError`` and ``when``."""
    strings = replacements.strings
    update: dict[str, object] = {
        "name": replace(container.name, strings),
        "image": replace(container.image, strings),
        "image_pull_policy": replace(container.image_pull_policy, strings),
        "command": replace_items(container.command, replacements),
        "args": replace_items(container.args, replacements),
        "working_dir": replace(container.working_dir, strings),
        "env": [env.model_copy(update={"value": replace(env.value, strings)}) for env in container.env],
    }
    if isinstance(container, Step | Sidecar):
        update["script"] = replace(container.script, strings)
    if isinstance(container, Step):
        update["on_error"] = replace(container.on_error, strings)
        update["when"] = replace_when(container.when, replacements)
    return container.model_copy(update=update)


def replace_spec(spec: TaskSpec, replacements: Replacements) -> TaskSpec:
    """A task's specification with one pass of replacements."""
    template = spec.step_template
    return spec.model_copy(
        update={
            "steps": [replace_container(step, replacements) for step in spec.steps],
            "step_template": None if template is None else replace_container(template, replacements),
            "sidecars": [replace_container(sidecar, replacements) for sidecar in spec.sidecars],
        }
    )


def task_param_replacements(declared: Iterable[ParamSpec], given: Iterable[Param]) -> Replacements:
    """What the parameters of a TaskRun stand for: defaults, and over them what was given."""
    result = Replacements()
    late: list[tuple[str, str]] = []
    for spec in declared:
        if isinstance(spec.default, str) and "$(params." in spec.default:
            late.append((spec.name, spec.default))
        elif spec.default is not None:
            result.add_param(spec.name, spec.default, TASK_PARAM_PATTERNS)
    for name, default in late:
        # like Tekton, of several references only the last is replaced
        for reference in _references(default):
            key = f"params.{reference.removeprefix('$(params.').removesuffix(')')}"
            if key in result.strings:
                text = default.replace(reference, result.strings[key])
                for pattern in TASK_PARAM_PATTERNS:
                    result.strings[pattern.format(name)] = text
    for param in given:
        own = Replacements()
        own.add_param(param.name, param.value, TASK_PARAM_PATTERNS)
        result.strings.update(own.strings)
        result.arrays.update(own.arrays)
        for key, keys in own.objects.items():
            result.objects[key] = {**result.objects.get(key, {}), **keys}
    return result


def _references(text: str) -> list[str]:
    return [f"$(params.{name})" for name in references(text, "params").whole]


def propagate_params(spec: TaskSpec, params: list[Param], replacements: Replacements) -> TaskSpec:
    """Put the pipeline's parameters into a task that is written inside it; the task's own parameters come first."""
    own = replacements.copy()
    for param in params:
        for pattern in ("params.{}", 'params["{}"]', "params['{}']"):
            key = pattern.format(param.name)
            if key in own.strings:
                own.strings[key] = param.value if isinstance(param.value, str) else ""
            if key in own.arrays:
                own.arrays[key] = param.value if isinstance(param.value, list) else []
            if key in own.objects:
                own.objects[key] = param.value if isinstance(param.value, dict) else {}
                for name, value in own.objects[key].items():
                    own.strings[f"params.{param.name}.{name}"] = value
    return replace_spec(spec, own)
