"""Putting values into a pipeline's tasks: parameters and contexts at the start, results and status as they come."""

from __future__ import annotations

import hashlib

from penstock.tekton import matrix as matrices
from penstock.tekton.apply import propagate_params, replace_params, replace_when
from penstock.tekton.manifest import PipelineSpec, PipelineTask
from penstock.tekton.manifest_task import Param
from penstock.tekton.substitution import Replacements, expressions, replace, value_texts

_LONGEST_NAME = 63
_HEAD = _LONGEST_NAME - 32


def child_name(parent: str, suffix: str) -> str:
    """The name of a TaskRun: ``PARENT-SUFFIX``, cut to 63 characters with a digest if it is longer."""
    if len(parent) <= _LONGEST_NAME - len(suffix):
        return parent + suffix
    if _HEAD - len(suffix) <= 0:
        name = parent[:_HEAD] + _md5(parent + suffix)
        name += suffix[: max(_LONGEST_NAME - len(name), 0)]
        return name.rstrip("-.")
    return parent[: _HEAD - len(suffix)] + _md5(parent) + suffix


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def task_run_names(run: str, task: str, number: int) -> list[str]:
    """The names of the TaskRuns of a pipeline task; numbered if there are several."""
    if number == 1:
        return [child_name(run, f"-{task}")]
    names = []
    for index in range(number):
        name = child_name(run, f"-{task}-{index}")
        if not name.endswith(f"-{index}"):
            longest = _LONGEST_NAME - len(f"-{number}")
            name = f"{child_name(run, f'-{task}')[:longest]}-{index}"
        names.append(name)
    return names


def apply_to_pipeline(spec: PipelineSpec, replacements: Replacements) -> PipelineSpec:
    """One pass over all tasks, as at the start of a run; tasks that are written inside the pipeline are included."""
    return spec.model_copy(
        update={
            "tasks": [_apply_to_task(task, replacements) for task in spec.tasks],
            "finally_tasks": [_apply_to_task(task, replacements) for task in spec.finally_tasks],
        }
    )


def _apply_to_task(task: PipelineTask, replacements: Replacements) -> PipelineTask:
    task = apply_to_inputs(task, replacements)
    update: dict[str, object] = {"on_error": replace(task.on_error, replacements.strings)}
    if task.task_spec is not None:
        update["task_spec"] = propagate_params(task.task_spec, task.params, replacements)
    return task.model_copy(update=update)


def apply_to_inputs(task: PipelineTask, replacements: Replacements, *, sub_paths: bool = True) -> PipelineTask:
    """Parameters, matrix, ``when`` and subPaths of a pipeline task with one pass of replacements."""
    update: dict[str, object] = {
        "params": replace_params(task.params, replacements),
        "when": replace_when(task.when, replacements),
    }
    if task.matrix is not None and task.matrixed:
        without_objects = Replacements(replacements.strings, replacements.arrays)
        only_strings = Replacements(replacements.strings)
        update["matrix"] = task.matrix.model_copy(
            update={
                "params": replace_params(task.matrix.params, without_objects),
                "include": [
                    include.model_copy(update={"params": replace_params(include.params, only_strings)})
                    for include in task.matrix.include
                ],
            }
        )
    if sub_paths:
        update["workspaces"] = [
            workspace.model_copy(update={"sub_path": replace(workspace.sub_path, replacements.strings)})
            for workspace in task.workspaces
        ]
    return task.model_copy(update=update)


def apply_status(task: PipelineTask, strings: dict[str, str]) -> PipelineTask:
    """A final task with ``$(tasks.NAME.status)`` and the like put into parameters and ``when``."""
    replacements = Replacements(strings)
    return task.model_copy(
        update={"params": replace_params(task.params, replacements), "when": replace_when(task.when, replacements)}
    )


def apply_task_context(
    task: PipelineTask, pipeline: PipelineSpec, aggregated: dict[str, dict[str, list[str]]]
) -> PipelineTask:
    """A task with ``$(context.pipelineTask.retries)`` and the lengths of matrices put in.

    Args:
        task: the task.
        pipeline: the pipeline as it was at the start of the run.
        aggregated: the results of tasks that fan out, by task and result.
    """
    strings = {"context.pipelineTask.retries": str(task.retries)}
    for param in task.params:
        source, result = _matrix_reference(param)
        for other in pipeline.tasks if source else ():
            if other.name == source:
                strings[f"tasks.{source}.matrix.length"] = str(matrices.count(other.matrix))
        if source and result:
            length = len(aggregated.get(source, {}).get(result, []))
            strings[f"tasks.{source}.matrix.{result}.length"] = str(length)
    replacements = Replacements(strings)
    update: dict[str, object] = {"params": replace_params(task.params, replacements)}
    if task.matrix is not None and task.matrixed:
        update["matrix"] = task.matrix.model_copy(
            update={
                "params": replace_params(task.matrix.params, replacements),
                "include": [
                    include.model_copy(update={"params": replace_params(include.params, replacements)})
                    for include in task.matrix.include
                ],
            }
        )
    return task.model_copy(update=update)


def _matrix_reference(param: Param) -> tuple[str, str]:
    """The task and the result of ``tasks.TASK.matrix.RESULT.length``; without result ``tasks.TASK.matrix.length``."""
    for expression in expressions(value_texts(param.value)):
        parts = expression.split(".")
        if parts[0] != "tasks" or len(parts) < 4 or parts[2] != "matrix" or parts[-1] != "length":
            continue
        if len(parts) == 4:
            return parts[1], ""
        if len(parts) == 5:
            return parts[1], parts[3]
    return "", ""
