"""What Tekton's webhook checks in the specification of a Task, wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from penstock.tekton.manifest_task import (
    ParamSpec,
    Property,
    Sidecar,
    Step,
    StepProperty,
    StepResult,
    TaskResult,
    TaskSpec,
    When,
)
from penstock.tekton.problems import (
    DNS_LABEL,
    Path,
    Problem,
    Problems,
    duplicates,
    not_isolated,
    prohibited_variable,
    unknown_variable,
    whole_variable,
)
from penstock.tekton.references import STEP_ARTIFACT, STEP_RESULT, refers_to_artifact
from penstock.tekton.step_template import merged_steps
from penstock.tekton.substitution import value_texts
from penstock.tekton.values import type_name

RESULT_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PARAM_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
_OBJECT_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9-]*")
NO_ARTIFACTS = "feature flag enable-artifacts should be set to true to use artifacts feature."


def validate_task(spec: TaskSpec, path: Path) -> Problems:
    """All problems of a task, whatever surrounds it: Tekton's ``TaskSpec.Validate``."""
    if not spec.steps:
        yield Problem((*path, "steps"), "a task needs at least one step")
    yield from _workspaces(spec, path)
    steps = merged_steps(spec)
    for index in duplicates([step.name if step.name else f"/{index}" for index, step in enumerate(steps)]):
        yield Problem((*path, "steps", index, "name"), f"there are two steps named '{steps[index].name}'")
    for index, step in enumerate(steps):
        yield from _step(step, (*path, "steps", index))
    for index, sidecar in enumerate(spec.sidecars):
        yield from _sidecar(sidecar, (*path, "sidecars", index))
    yield from validate_param_types(spec.params, path)
    yield from validate_params_in_steps(steps, spec.params, path)
    yield from variables(steps, r"context\.taskRun", ("name", "namespace", "uid"), path)
    yield from variables(steps, r"context\.task", ("name", "retry-count"), path)
    names = [result.name for result in spec.results]
    for index, step in enumerate(steps):
        if message := unknown_variable(step.script, "results", names):
            yield Problem((*path, "steps", index, "script"), message)
    for index, result in enumerate(spec.results):
        yield from _result(result, (*path, "results", index))
        yield from _task_result_value(result, (*path, "results", index))


def validate_usage(steps: list[Step], params: list[ParamSpec], path: Path) -> Problems:
    """References of steps to parameters that are not declared, and objects used as a whole or with unknown keys.

    Args:
        steps: the steps with the template merged into them.
        params: the parameters that they can refer to.
        path: of the task.
    """
    yield from variables(steps, "params", [param.name for param in params], path)
    objects = [param for param in params if param.type == "object"]
    for param in objects:
        if not param.properties:
            yield Problem((*path, "params"), f"the object '{param.name}' needs its properties")
        yield from variables(steps, rf"params\.{re.escape(param.name)}", list(param.properties or ()), path)
    names = [param.name for param in objects]
    for index, step in enumerate(steps):
        for field, text, _ in texts(step):
            if message := whole_variable(text, "params", names):
                yield Problem((*path, "steps", index, *field), message)


def validate_params_in_steps(steps: list[Step], params: list[ParamSpec], path: Path) -> Problems:
    """Double and invalid names of parameters, and whole arrays where a step cannot take them."""
    for index in duplicates([param.name for param in params]):
        yield Problem((*path, "params", index, "name"), f"the parameter '{params[index].name}' appears more than once")
    yield from _param_names(params, path)
    arrays = [param.name for param in params if param.type == "array"]
    for index, step in enumerate(steps):
        for field, text, item in texts(step):
            check = not_isolated if item else prohibited_variable
            if message := check(text, "params", arrays):
                yield Problem((*path, "steps", index, *field), message)


def validate_param_types(params: list[ParamSpec], path: Path) -> Problems:
    """Types and defaults of declared parameters."""
    for index, param in enumerate(params):
        here = (*path, "params", index)
        if param.default is not None and type_name(param.default) != param.type:
            kind = type_name(param.default)
            yield Problem((*here, "default"), f'"{param.type}" type does not match default value\'s type: "{kind}"')
        elif wrong := _not_strings(param.properties):
            yield Problem((*here, "properties"), f"the values of an object must be of type string: {wrong}")


def texts(step: Step) -> Iterator[tuple[Path, str, bool]]:
    """The texts of a step in which variables are looked for: (path, text, whether it is an item of a list)."""
    yield ("name",), step.name, False
    yield ("image",), step.image, False
    yield ("workingDir",), step.working_dir, False
    yield ("script",), step.script, False
    for index, text in enumerate(step.command):
        yield ("command", index), text, True
    for index, text in enumerate(step.args):
        yield ("args", index), text, True
    for index, env in enumerate(step.env):
        yield ("env", index), env.value, False


def variables(steps: list[Step], prefix: str, known: Collection[str], path: Path) -> Problems:
    """References with ``prefix`` that are not ``known``."""
    for index, step in enumerate(steps):
        for field, text, _ in (*texts(step), (("onError",), step.on_error, False)):
            if message := unknown_variable(text, prefix, known):
                yield Problem((*path, "steps", index, *field), message)


def validate_when(when: list[When], path: Path) -> Problems:
    """Operators and values of a ``when``."""
    for index, expression in enumerate(when):
        here = (*path, "when", index)
        if expression.operator not in ("in", "notin"):
            yield Problem((*here, "operator"), f"operator '{expression.operator[:40]}' is not one of: in, notin")
        elif not expression.values:
            yield Problem((*here, "values"), "expecting non-empty values field")


def _param_names(params: list[ParamSpec], path: Path) -> Problems:
    for index, param in enumerate(params):
        names = [param.name]
        pattern = _PARAM_NAME
        if param.type == "object":
            names += list(param.properties or ())
            pattern = _OBJECT_NAME
        for name in names:
            if not pattern.fullmatch(name):
                what = f"the name '{name[:80]}' of a parameter or key is invalid"
                yield Problem((*path, "params", index, "name"), what)


def _not_strings(properties: Mapping[str, Property | StepProperty] | None) -> str:
    return ", ".join(key for key, prop in (properties or {}).items() if prop.type != "string")


def _workspaces(spec: TaskSpec, path: Path) -> Problems:
    names = [workspace.name for workspace in spec.workspaces]
    mounts = [_clean(workspace.mount_path or f"/workspace/{workspace.name}") for workspace in spec.workspaces]
    for index in duplicates(names):
        yield Problem((*path, "workspaces", index, "name"), f"workspace name '{names[index]}' must be unique")
    for index in duplicates(mounts):
        if index not in duplicates(names):
            yield Problem((*path, "workspaces", index, "mountPath"), "workspace mount path must be unique")
    users: list[tuple[str, int, Step | Sidecar]] = [("steps", index, step) for index, step in enumerate(spec.steps)]
    users += [("sidecars", index, sidecar) for index, sidecar in enumerate(spec.sidecars)]
    for kind, index, user in users:
        for number, usage in enumerate(user.workspaces):
            if usage.name not in names:
                yield Problem((*path, kind, index, "workspaces", number, "name"), f"undefined workspace '{usage.name}'")


def _clean(path: str) -> str:
    """A path as Go's ``filepath.Clean`` leaves it."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part not in ("", ".") and not (part == ".." and path.startswith("/")):
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts) or "."


def _step(step: Step, path: Path) -> Problems:
    for field, text, _ in texts(step):
        if field[0] not in ("name", "image", "workingDir") and refers_to_artifact(text):
            yield Problem((*path, *field), NO_ARTIFACTS)
            return
    if not step.image:
        yield Problem((*path, "image"), "missing field")
    if step.script and step.command:
        yield Problem((*path, "script"), "script cannot be used with command")
    if step.name and not DNS_LABEL.fullmatch(step.name):
        yield Problem((*path, "name"), f"invalid value '{step.name[:80]}': it must be a valid DNS label")
    if step.timeout is not None and step.timeout < 0:
        yield Problem((*path, "timeout"), "negative timeout")
    if step.on_error not in ("", "continue", "stopAndFail") and not step.on_error.startswith("$(params"):
        what = f'invalid value: \'{step.on_error[:80]}\'. Task step onError must be either "continue" or "stopAndFail"'
        yield Problem((*path, "onError"), what)
    yield from _misplaced(step, path)
    if step.results:
        if message := unknown_variable(step.script, r"step\.results", [result.name for result in step.results]):
            yield Problem((*path, "script"), message)
        for index, result in enumerate(step.results):
            yield from _result(result, (*path, "results", index))
    yield from validate_when(step.when, path)


def _misplaced(step: Step, path: Path) -> Problems:
    """References to what earlier steps left, in fields that are fixed before they run."""
    fixed = (
        ("name", step.name),
        ("image", step.image),
        ("imagePullPolicy", step.image_pull_policy),
        ("workingDir", step.working_dir),
    )
    for field, text in fixed:
        if STEP_ARTIFACT.search(text):
            what = "stepArtifact substitutions are only allowed in env, command, args and script"
            yield Problem((*path, field), what)
    for field, text in (*fixed, ("script", step.script)):
        if STEP_RESULT.search(text):
            yield Problem((*path, field), "stepResult substitutions are only allowed in env, command and args")


def _sidecar(sidecar: Sidecar, path: Path) -> Problems:
    if sidecar.name == "tekton-log-results":
        yield Problem((*path, "name"), "this name is reserved by Tekton")
    if not sidecar.image:
        yield Problem((*path, "image"), "missing field")
    if sidecar.script and sidecar.command:
        yield Problem((*path, "script"), "script cannot be used with command")


def _result(result: StepResult, path: Path) -> Problems:
    if not RESULT_NAME.fullmatch(result.name):
        yield Problem((*path, "name"), f"'{result.name[:80]}' cannot be the name of a result")
    elif result.type == "object":
        if not result.properties:
            yield Problem((*path, "properties"), "an object needs its properties")
        elif wrong := _not_strings(result.properties):
            yield Problem((*path, "properties"), f"the values of an object must be of type string: {wrong}")


def _task_result_value(result: TaskResult, path: Path) -> Problems:
    if result.value is None or result.value == "":
        return
    for text in value_texts(result.value) or [""]:
        match = re.search(r"\$\(steps\.(.*?)\.results\.(.*?)\)", text)
        if not isinstance(result.value, str) or match is None:
            yield Problem((*path, "value"), "it must look like $(steps.STEP.results.RESULT)")
            return
        if not DNS_LABEL.fullmatch(match.group(1)) or not RESULT_NAME.fullmatch(match.group(2)):
            yield Problem((*path, "value"), "the step or result that it names is invalid")
