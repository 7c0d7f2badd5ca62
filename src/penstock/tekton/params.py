"""The parameters of a run: what is missing, what has the wrong type, and how defaults refer to each other."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from penstock.foundation.errors import UsageError
from penstock.tekton.graph import param_texts, when_texts
from penstock.tekton.manifest import PipelineSpec
from penstock.tekton.manifest_task import Param, ParamSpec
from penstock.tekton.substitution import (
    EXPRESSION,
    PARAM_PATTERNS,
    Replacements,
    expressions,
    indexed_params,
    replace,
)
from penstock.tekton.values import Value, from_yaml, type_name

MAX_DEPTH = 10


class RunFailedError(Exception):
    """The run cannot go on; its condition is False with this reason and message.

    Args:
        reason: Tekton's reason.
        message: Tekton's message.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def parse_given(declared: Iterable[ParamSpec], given: Mapping[str, Value]) -> list[Param]:
    """Parameters as they come from a command line.

    Text for an array is ``a,b`` or a JSON list; text for an object is ``key:value,key:value`` or a JSON mapping.

    Raises:
        UsageError: the text cannot be read as the declared type.
    """
    types = {param.name: param.type for param in declared}
    return [Param(name=name, value=_parse(name, value, types.get(name, "string"))) for name, value in given.items()]


def _parse(name: str, value: Value, kind: str) -> Value:
    if not isinstance(value, str) or kind == "string":
        return value
    opening = "[" if kind == "array" else "{"
    if value.lstrip().startswith(opening):
        try:
            parsed = from_yaml(json.loads(value))
        except (ValueError, RecursionError):
            parsed = ""
        if type_name(parsed) == kind:
            return parsed
        raise UsageError(f"the parameter '{name}' is not a JSON {kind} of texts", where=f"--param {name}")
    if kind == "array":
        return value.split(",")
    pairs = dict(part.partition(":")[::2] for part in value.split(",") if ":" in part)
    if len(pairs) != len(value.split(",")):
        raise UsageError(f"the parameter '{name}' is an object: key:value,key:value", where=f"--param {name}")
    return pairs


def check_params(spec: PipelineSpec, given: list[Param], run: str, namespace: str, pipeline: str) -> None:
    """What the PipelineRun controller checks before anything runs.

    Raises:
        RunFailedError: with Tekton's reason.
    """
    subject, whose = f"{namespace}/{run}", f"{namespace}/{pipeline}"
    names = {param.name for param in given}
    missing = [param.name for param in spec.params if param.default is None and param.name not in names]
    if missing:
        what = f"pipelineRun missing parameters: {go_list(missing)}"
        message = f"[User error] PipelineRun {subject} is missing some parameters required by Pipeline {whose}: {what}"
        raise RunFailedError("ParameterMissing", message)
    types = {param.name: param.type for param in spec.params}
    wrong = [param.name for param in given if types.get(param.name, type_name(param.value)) != type_name(param.value)]
    if wrong:
        what = f"parameters have inconsistent types : {go_list(wrong)}"
        message = (
            f"[User error] PipelineRun {subject} parameters have mismatching types with"
            f" Pipeline {whose}'s parameters: {what}"
        )
        raise RunFailedError("ParameterTypeMismatch", message)
    if keys := missing_keys(spec.params, given):
        what = f"pipelineRun missing object keys for parameters: {go_map(keys)}"
        message = (
            f"[User error] PipelineRun {subject} parameters is missing object keys required by"
            f" Pipeline {whose}'s parameters: {what}"
        )
        raise RunFailedError("ObjectParameterMissKeys", message)
    if outside := out_of_bounds(spec.params, given, _indexing_texts(spec)):
        message = (
            f"[User error] PipelineRun {subject} failed validation: failed to validate Pipeline {whose}'s parameter"
            f" which has an invalid index while referring to an array: {outside}"
        )
        raise RunFailedError("ParamArrayIndexingInvalid", message)


def missing_keys(declared: Iterable[ParamSpec], given: Iterable[Param]) -> dict[str, list[str]]:
    """Keys of objects that are declared, but in neither the default nor the value."""
    needed = {param.name: list(param.properties or ()) for param in declared if param.type == "object"}
    provided: dict[str, set[str]] = {}
    for param in declared:
        if param.type == "object" and isinstance(param.default, dict):
            provided.setdefault(param.name, set()).update(param.default)
    for value in given:
        if isinstance(value.value, dict):
            provided.setdefault(value.name, set()).update(value.value)
    missing = {name: [key for key in needed.get(name, []) if key not in keys] for name, keys in provided.items()}
    return {name: keys for name, keys in missing.items() if keys}


def out_of_bounds(declared: Iterable[ParamSpec], given: Iterable[Param], texts: Iterable[str]) -> str:
    """Tekton's message if ``$(params.arr[7])`` in ``texts`` is beyond the end of the array; else empty."""
    lengths = {param.name: len(param.default) for param in declared if isinstance(param.default, list)}
    lengths |= {param.name: len(param.value) for param in given if isinstance(param.value, list)}
    outside = [
        reference for reference, name, index in indexed_params(texts) if name in lengths and index >= lengths[name]
    ]
    return f"non-existent param references:{go_list(outside)}" if outside else ""


def _indexing_texts(spec: PipelineSpec) -> Iterable[str]:
    for task in (*spec.tasks, *spec.finally_tasks):
        yield from param_texts(task.params)
        yield from param_texts(task.matrix.params if task.matrix else ())
        yield from when_texts(task.when)
    for task in spec.tasks:
        yield from (workspace.sub_path for workspace in task.workspaces)


def pipeline_replacements(declared: Iterable[ParamSpec], given: Iterable[Param]) -> Replacements:
    """What the parameters of a run stand for: what was given, and defaults, which may refer to other parameters.

    Raises:
        RunFailedError: defaults refer to each other in a circle, too deep, or to nothing.
    """
    resolved = Replacements()
    for param in given:
        resolved.add_param(param.name, param.value)
    names = {param.name for param in given}
    open_defaults = [spec for spec in declared if spec.default is not None and spec.name not in names]
    unresolved = {
        pattern.format(spec.name): spec.default
        for spec in open_defaults
        for pattern in PARAM_PATTERNS
        if isinstance(spec.default, str)
    }
    for key in unresolved:
        if key not in resolved.strings:
            _resolve(key, resolved.strings, unresolved, (), 0)
    for spec in open_defaults:
        default = spec.default
        if isinstance(default, list):
            resolved.add_param(spec.name, [replace(item, resolved.strings) for item in default])
        elif isinstance(default, dict):
            resolved.add_param(spec.name, {key: replace(item, resolved.strings) for key, item in default.items()})
    return resolved


def _resolve(
    key: str, resolved: dict[str, str], unresolved: Mapping[str, str], visiting: tuple[str, ...], depth: int
) -> None:
    problem = ""
    if key in visiting:
        problem = f'circular dependency detected in param "{key}"'
    elif depth > MAX_DEPTH:
        problem = f'maximum recursion depth ({MAX_DEPTH}) exceeded for param "{key}"'
    for reference in expressions([unresolved[key]]) if not problem else ():
        if not reference.startswith("params.") or reference in resolved:
            continue
        if reference not in unresolved:
            problem = f'param "{key}" references undefined param "{reference}"'
            break
        _resolve(reference, resolved, unresolved, (*visiting, key), depth + 1)
    if problem:
        raise RunFailedError("PipelineValidationFailed", f"parameter resolution failed: {problem}")
    resolved[key] = replace(unresolved[key], resolved)


def invalid_task_params(declared: list[ParamSpec], given: list[Param], matrix: list[Param]) -> str:
    """Tekton's message if the parameters of a TaskRun do not fit its task; empty if they do."""
    names = {param.name for param in (*given, *matrix)}
    missing = [param.name for param in declared if param.default is None and param.name not in names]
    if missing:
        return f"missing values for these params which have no default values: {go_list(missing)}"
    types = {param.name: param.type for param in declared}
    wrong = []
    for param in given:
        wanted = types.get(param.name)
        if wanted is None or type_name(param.value) == wanted:
            continue
        if isinstance(param.value, str) and wanted != "string" and EXPRESSION.search(param.value):
            continue  # a reference to a whole array or object, still to be resolved
        wrong.append(param.name)
    wrong += [param.name for param in matrix if types.get(param.name, "string") != "string"]
    if wrong:
        return f"param types don't match the user-specified type: {go_list(wrong)}"
    if keys := missing_keys(declared, given):
        return f"missing keys for these params which are required in ParamSpec's properties {go_map(keys)}"
    return ""


def go_list(items: Iterable[str]) -> str:
    """A list as Go prints it: ``[a b]``."""
    return f"[{' '.join(items)}]"


def go_map(items: Mapping[str, list[str]]) -> str:
    """A mapping as Go prints it: ``map[a:[b c]]``."""
    return f"map[{' '.join(f'{key}:{go_list(items[key])}' for key in sorted(items))}]"
