"""What Tekton's webhook checks in a Pipeline before it is ever run."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from penstock.tekton import matrix as matrices
from penstock.tekton.graph import dependencies, graph_fault, param_texts, when_texts
from penstock.tekton.manifest import PipelineSpec, PipelineTask
from penstock.tekton.manifest_task import Param, ParamSpec
from penstock.tekton.problems import (
    DNS_LABEL,
    QUALIFIED_NAME,
    Path,
    Problem,
    Problems,
    duplicates,
    not_isolated,
    prohibited_variable,
    unknown_variable,
    whole_variable,
)
from penstock.tekton.references import TASK_ARTIFACT, looks_like_result, parse_result, result_refs
from penstock.tekton.step_template import merged_steps
from penstock.tekton.substitution import expressions, value_texts
from penstock.tekton.validation_task import (
    NO_ARTIFACTS,
    validate_param_types,
    validate_task,
    validate_usage,
    validate_when,
)

_PREFIXES = ("params", "tasks", "finally", "context", "workspaces", "results")
_WHOLE = re.compile(
    r"""\$\(params(\.[_a-zA-Z0-9.-]+\[\*\]|\["[_a-zA-Z0-9.-]+\[\*\]"\]|\['[_a-zA-Z0-9.-]+\[\*\]'\])\)"""
)


def validate_pipeline(spec: PipelineSpec, path: Path) -> Problems:
    """All problems of a pipeline's specification."""
    if spec == PipelineSpec():
        yield Problem(path, "expected at least one, got none: description, params, tasks, workspaces")
    sections = (("tasks", spec.tasks), ("finally", spec.finally_tasks))
    seen: set[str] = set()
    for section, tasks in sections:
        for index, task in enumerate(tasks):
            yield from _pipeline_task(task, seen, (*path, section, index))
            yield from _matrix(task, (*path, section, index))
            yield from _prefixes(task, (*path, section, index))
            yield from _artifacts(task, (*path, section, index))
            yield from validate_when(task.when, (*path, section, index))
        yield from _context_variables(tasks, (*path, section))
    if fault := graph_fault(dependencies(spec.tasks, template=True)):
        index = next(number for number, task in enumerate(spec.tasks) if task.name == fault[0])
        yield Problem((*path, "tasks", index), fault[1])
    if spec.finally_tasks and not spec.tasks:
        yield Problem((*path, "finally"), f"spec.tasks is empty but spec.finally has {len(spec.finally_tasks)} tasks")
    yield from validate_params(spec.params, path)
    names = [workspace.name for workspace in spec.workspaces]
    for index in duplicates(names):
        yield Problem(
            (*path, "workspaces", index, "name"), f'workspace with name "{names[index]}" appears more than once'
        )
    for index, name in enumerate(names):
        if not name:
            yield Problem((*path, "workspaces", index, "name"), f"workspace {index} has empty name")
    yield from _status_variables(spec, path)
    yield from _results(spec, path)
    yield from _finally(spec, path)
    for section, tasks in sections:
        yield from _matrix_consumers(tasks, (*path, section))


def validate_params(params: list[ParamSpec], path: Path) -> Problems:
    """Types, defaults and double names of the parameters of a pipeline."""
    for index in duplicates([param.name for param in params]):
        yield Problem((*path, "params", index, "name"), f"the parameter '{params[index].name}' appears more than once")
    yield from validate_param_types(params, path)


def validate_pipeline_usage(spec: PipelineSpec, path: Path) -> Problems:
    """What is checked in a Pipeline of its own, but not in one that is written inside a PipelineRun."""
    names = [workspace.name for workspace in spec.workspaces]
    for section, tasks in (("tasks", spec.tasks), ("finally", spec.finally_tasks)):
        for index, task in enumerate(tasks):
            here = (*path, section, index)
            if task.task_spec is not None:
                params = [*task.task_spec.params, *spec.params]
                yield from validate_usage(merged_steps(task.task_spec), params, (*here, "taskSpec"))
            for number in duplicates([workspace.name for workspace in task.workspaces]):
                yield Problem((*here, "workspaces", number), "the name of the workspace must be unique")
            for number, workspace in enumerate(task.workspaces):
                wanted = workspace.workspace or workspace.name
                if wanted not in names:
                    what = f'pipeline task "{task.name}" expects workspace with name "{wanted}" but none exists'
                    yield Problem((*here, "workspaces", number), f"{what} in pipeline spec")
        yield from validate_param_references(tasks, spec.params, (*path, section))


def validate_param_references(tasks: list[PipelineTask], params: list[ParamSpec], path: Path) -> Problems:
    """References of pipeline tasks to parameters that are not declared, or used with the wrong type."""
    known = [param.name for param in params]
    arrays = [param.name for param in params if param.type == "array"]
    objects = {param.name: list(param.properties or ()) for param in params if param.type == "object"}
    for index, task in enumerate(tasks):
        here = (*path, index)
        for number, param in enumerate(task.params):
            yield from _param_value(param, known, arrays, objects, (*here, "params", number, "value"))
        for number, param in enumerate(task.matrix.params if task.matrix else ()):
            for item in param.value if isinstance(param.value, list) else ():
                yield from _text(
                    item, known, arrays, objects, not_isolated, (*here, "matrix", "params", number, "value")
                )
        for number, include in enumerate(task.matrix.include if task.matrix else ()):
            for text in param_texts(include.params):
                yield from _text(
                    text, known, arrays, objects, prohibited_variable, (*here, "matrix", "include", number)
                )
        for number, when in enumerate(task.when):
            where = (*here, "when", number, "input")
            yield from _text(when.input, known, arrays, objects, prohibited_variable, where)
            for text in when.values:
                whole = text.removeprefix("$(params.").removesuffix("[*])") in arrays
                check = not_isolated if whole else prohibited_variable
                yield from _text(text, known, arrays, objects, check, (*here, "when", number, "values"))


Check = Callable[[str, str, Collection[str]], str | None]


def _param_value(
    param: Param, known: list[str], arrays: list[str], objects: dict[str, list[str]], path: Path
) -> Problems:
    if isinstance(param.value, str) and _WHOLE.fullmatch(param.value):
        if message := unknown_variable(param.value, "params", known):
            yield Problem(path, message)
        return
    check = not_isolated if isinstance(param.value, list) else prohibited_variable
    for text in value_texts(param.value):
        yield from _text(text, known, arrays, objects, check, path)


def _text(
    text: str, known: list[str], arrays: list[str], objects: dict[str, list[str]], check: Check, path: Path
) -> Problems:
    messages = [
        unknown_variable(text, "params", known),
        whole_variable(text, "params", objects),
        check(text, "params", arrays),
    ]
    messages += [unknown_variable(text, rf"params\.{re.escape(name)}", keys) for name, keys in objects.items()]
    for message in messages:
        if message:
            yield Problem(path, message)


def _pipeline_task(task: PipelineTask, seen: set[str], path: Path) -> Problems:
    if not DNS_LABEL.fullmatch(task.name):
        yield Problem(
            (*path, "name"), f"invalid value '{task.name[:80]}': a Pipeline Task name must be a valid DNS label"
        )
    if task.name in seen:
        yield Problem((*path, "name"), f"there are two tasks named '{task.name}'")
    seen.add(task.name)
    if (task.task_ref is None) == (task.task_spec is None):
        yield Problem(path, "expected exactly one of taskRef and taskSpec")
    if task.task_ref is not None and not QUALIFIED_NAME.fullmatch(task.task_ref.name):
        yield Problem((*path, "taskRef", "name"), f"'{task.task_ref.name[:80]}' cannot be the name of a Task")
    if task.task_spec is not None:
        yield from validate_task(task.task_spec, (*path, "taskSpec"))
    for number in duplicates([param.name for param in task.params]):
        yield Problem(
            (*path, "params", number, "name"), f"the parameter '{task.params[number].name}' appears more than once"
        )
    yield from validate_on_error(task, path)


def validate_on_error(task: PipelineTask, path: Path) -> Problems:
    """``onError`` of a pipeline task; checked again once parameters are in."""
    if task.on_error and not task.on_error.startswith("$(params"):
        if task.on_error not in ("continue", "stopAndFail"):
            yield Problem((*path, "onError"), 'PipelineTask OnError must be either "continue" or "stopAndFail"')
        elif task.on_error == "continue" and task.retries > 0:
            yield Problem(
                (*path, "onError"), 'PipelineTask OnError cannot be set to "continue" when Retries is greater than 0'
            )


def _matrix(task: PipelineTask, path: Path) -> Problems:
    if task.matrix is None:
        return
    if matrices.count(task.matrix) > matrices.MAX_COMBINATIONS:
        what = f"{matrices.count(task.matrix)} combinations, at most {matrices.MAX_COMBINATIONS} are allowed"
        yield Problem((*path, "matrix"), what)
    for number, params in enumerate([task.matrix.params, *(include.params for include in task.matrix.include)]):
        for index in duplicates([param.name for param in params]):
            where: Path = ("params", index) if number == 0 else ("include", number - 1, "params", index)
            yield Problem((*path, "matrix", *where), f"the parameter '{params[index].name}' appears more than once")
    names = {param.name for param in task.matrix.all_params()}
    for index, param in enumerate(task.params):
        if param.name in names:
            yield Problem(
                (*path, "params", index), f"'{param.name}' is a parameter and in the matrix: expected exactly one"
            )


def _matrix_consumers(tasks: list[PipelineTask], path: Path) -> Problems:
    by_name = {task.name: task for task in tasks}
    for index, task in enumerate(tasks):
        for number, param in enumerate(task.params):
            for expression in expressions(value_texts(param.value)):
                ref = parse_result(expression)
                source = by_name.get(ref.task) if ref else None
                if ref is None or source is None or not source.matrixed:
                    continue
                here = (*path, index, "params", number)
                if not expression.endswith("[*]"):
                    what = "A matrixed pipelineTask can only be consumed in aggregate using [*] notation"
                    yield Problem(here, f"{what}, but is currently set to {expression}")
                results = source.task_spec.results if source.task_spec else []
                if any(result.name == ref.result and result.type != "string" for result in results):
                    yield Problem(here, "Matrixed PipelineTasks emitting results must have an underlying type string")


def _prefixes(task: PipelineTask, path: Path) -> Problems:
    for expression in expressions([*param_texts(task.all_params()), *when_texts(task.when)]):
        if expression.split(".", 1)[0] not in _PREFIXES:
            what = f'invalid variable reference "$({expression})", must start with one of: {", ".join(_PREFIXES)}'
            yield Problem(path, f"{what}; if you meant a shell variable, use ${{VAR}} instead")


def _artifacts(task: PipelineTask, path: Path) -> Problems:
    for index, param in enumerate(task.params):
        if any(TASK_ARTIFACT.search(text) for text in value_texts(param.value)):
            yield Problem((*path, "params", index, "value"), NO_ARTIFACTS)


def _context_variables(tasks: list[PipelineTask], path: Path) -> Problems:
    # like Tekton, only the last task is looked at
    for index, task in list(enumerate(tasks))[-1:]:
        for text in param_texts(task.all_params()):
            for prefix, known in (
                (r"context\.pipelineRun", ("name", "namespace", "uid")),
                (r"context\.pipeline", ("name",)),
                (r"context\.pipelineTask", ("retries",)),
            ):
                if message := unknown_variable(text, prefix, known):
                    yield Problem((*path, index), message)


def _status_variables(spec: PipelineSpec, path: Path) -> Problems:
    names = {task.name for task in spec.tasks}
    for section, tasks in (("tasks", spec.tasks), ("finally", spec.finally_tasks)):
        for index, task in enumerate(tasks):
            for texts in [*(value_texts(p.value) for p in task.params), *(when_texts([w]) for w in task.when)]:
                found = expressions(texts)
                if any(looks_like_result(expression) for expression in found):
                    continue
                for expression in found:
                    if not (expression.startswith("tasks.") and expression.endswith((".status", ".reason"))):
                        continue
                    if section == "tasks":
                        what = "pipeline tasks can not refer to execution status of any other pipeline task"
                        yield Problem((*path, section, index), f"{what} or aggregate status of tasks")
                    elif expression != "tasks.status" and expression[6:].rsplit(".", 1)[0] not in names:
                        what = f"pipeline task {expression[6:].rsplit('.', 1)[0]} is not defined in the pipeline"
                        yield Problem((*path, section, index), what)


def _results(spec: PipelineSpec, path: Path) -> Problems:
    tasks = {task.name for task in spec.tasks}
    finals = {task.name for task in spec.finally_tasks}
    for index, result in enumerate(spec.results):
        here = (*path, "results", index, "value")
        found = expressions(value_texts(result.value))
        wanted = [expression for expression in found if looks_like_result(expression)]
        if not wanted:
            yield Problem(here, "expected pipeline results to be task result expressions but no expressions were found")
        if len(result_refs(wanted)) != len(wanted):
            yield Problem(here, f"expected all of the expressions {wanted} to be result expressions")
        if isinstance(result.value, str) and wanted and not _names_tasks(result.value, tasks, finals):
            yield Problem(here, "referencing a nonexistent task")


def _names_tasks(text: str, tasks: Collection[str], finals: Collection[str]) -> bool:
    for part in filter(None, text.split("$")):
        expression = part.removeprefix("(").removesuffix(")")
        ref = parse_result(expression)
        if ref is None:
            return False
        if ref.task not in (finals if expression.startswith("finally") else tasks):
            return False
    return True


def _finally(spec: PipelineSpec, path: Path) -> Problems:
    tasks = {task.name for task in spec.tasks}
    finals = {task.name for task in spec.finally_tasks}
    for index, task in enumerate(spec.finally_tasks):
        here = (*path, "finally", index)
        if task.run_after:
            what = f"no runAfter allowed under spec.finally, final task {task.name} has runAfter specified"
            yield Problem((*here, "runAfter"), what)
        for ref in result_refs(expressions([*param_texts(task.params), *when_texts(task.when)])):
            if ref.task in finals:
                yield Problem(here, f"final task has task result reference from a final task {ref.task}")
            elif ref.task not in tasks:
                yield Problem(
                    here,
                    f"final task has task result reference from a task {ref.task} which is not defined in the pipeline",
                )
