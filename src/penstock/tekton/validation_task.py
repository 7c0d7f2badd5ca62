"""What Tekton's webhook checks in a Task, and what a process cannot do that a container can."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from penstock.tekton.manifest_task import Container, ParamSpec, Step, StepResult, TaskResult, TaskSpec, When
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
from penstock.tekton.references import STEP_RESULT
from penstock.tekton.substitution import value_texts
from penstock.tekton.template import merge_template
from penstock.tekton.values import type_name

RESULT_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_PARAM_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9.-]*")
_OBJECT_NAME = re.compile(r"[_a-zA-Z][_a-zA-Z0-9-]*")
_WORKSPACE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_ENV_NAME = re.compile(r"[^=\x00]+")
CONTAINER_PATH = re.compile(r"(?<![\w)./}~-])/(tekton|workspace)(?=/|$|[\s\"';:,)])")
_ARTIFACT = re.compile(r"\$\((steps?|tasks)\.[^)]*(inputs|outputs)|\$\((step\.)?artifacts\.path\)")


def validate_task(spec: TaskSpec, path: Path) -> Problems:
    """All problems of a task, whatever surrounds it."""
    if not spec.steps:
        yield Problem((*path, "steps"), "a task needs at least one step")
    yield from _workspaces(spec, path)
    template = spec.step_template
    merged = [merge_template(step, template) for step in spec.steps]
    for index in duplicates([step.name if step.name else f"/{index}" for index, step in enumerate(merged)]):
        yield Problem((*path, "steps", index, "name"), f"there are two steps named '{merged[index].name}'")
    for index, step in enumerate(merged):
        yield from _step(step, (*path, "steps", index))
    for index, sidecar in enumerate(spec.sidecars):
        yield from _container(sidecar, sidecar.script, (*path, "sidecars", index))
        if sidecar.name == "tekton-log-results":
            yield Problem((*path, "sidecars", index, "name"), "this name is reserved by Tekton")
    if template is not None:
        yield from _host_paths(template, "", (*path, "stepTemplate"))
    yield from validate_param_specs(spec.params, path)
    yield from validate_param_names(spec.params, path)
    yield from validate_array_usage(spec.steps, [param.name for param in spec.params if param.type == "array"], path)
    yield from variables(spec.steps, r"context\.taskRun", ("name", "namespace", "uid"), path)
    yield from variables(spec.steps, r"context\.task", ("name", "retry-count"), path)
    names = [result.name for result in spec.results]
    for index, step in enumerate(spec.steps):
        if message := unknown_variable(step.script, "results", names):
            yield Problem((*path, "steps", index, "script"), message)
    for index, result in enumerate(spec.results):
        yield from _result(result, (*path, "results", index))
        yield from _task_result_value(result, (*path, "results", index))


def validate_usage(steps: list[Step], params: list[ParamSpec], path: Path) -> Problems:
    """References of steps to parameters that are not declared, and objects used as a whole or with unknown keys."""
    yield from variables(steps, "params", [param.name for param in params], path)
    objects = [param for param in params if param.type == "object"]
    for param in objects:
        if param.properties is None:
            yield Problem((*path, "params"), f"the object '{param.name}' needs its properties")
        yield from variables(steps, rf"params\.{re.escape(param.name)}", list(param.properties or ()), path)
    names = [param.name for param in objects]
    for index, step in enumerate(steps):
        for field, text, _ in texts(step):
            if message := whole_variable(text, "params", names):
                yield Problem((*path, "steps", index, *field), message)


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


def validate_param_specs(params: list[ParamSpec], path: Path) -> Problems:
    """Types, defaults and double names of declared parameters."""
    for index in duplicates([param.name for param in params]):
        yield Problem((*path, "params", index, "name"), f"the parameter '{params[index].name}' appears more than once")
    for index, param in enumerate(params):
        here = (*path, "params", index)
        if param.default is not None and type_name(param.default) != param.type:
            kind = type_name(param.default)
            yield Problem((*here, "default"), f'"{param.type}" type does not match default value\'s type: "{kind}"')
        if any(prop.type != "string" for prop in (param.properties or {}).values()):
            yield Problem((*here, "properties"), "the values of an object must be of type string")


def validate_param_names(params: list[ParamSpec], path: Path) -> Problems:
    """The form of parameter names and object keys in a task."""
    for index, param in enumerate(params):
        names = [param.name]
        pattern = _PARAM_NAME
        if param.type == "object":
            names += list(param.properties or ())
            pattern = _OBJECT_NAME
        for name in names:
            if not pattern.fullmatch(name):
                yield Problem(
                    (*path, "params", index, "name"), f"the name '{name[:80]}' of a parameter or key is invalid"
                )


def validate_when(when: list[When], path: Path) -> Problems:
    """Operators and values of a ``when``."""
    for index, expression in enumerate(when):
        here = (*path, "when", index)
        if expression.operator not in ("in", "notin"):
            yield Problem((*here, "operator"), f"operator '{expression.operator[:40]}' is not one of: in, notin")
        elif not expression.values:
            yield Problem((*here, "values"), "expecting non-empty values field")


def _workspaces(spec: TaskSpec, path: Path) -> Problems:
    names = [workspace.name for workspace in spec.workspaces]
    mounts = [workspace.mount_path.rstrip("/") or f"/workspace/{workspace.name}" for workspace in spec.workspaces]
    for index in duplicates(names):
        yield Problem((*path, "workspaces", index, "name"), f"workspace name '{names[index]}' must be unique")
    for index in duplicates(mounts):
        if index not in duplicates(names):
            yield Problem((*path, "workspaces", index, "mountPath"), "workspace mount path must be unique")
    for index, name in enumerate(names):
        if not _WORKSPACE_NAME.fullmatch(name):
            yield Problem((*path, "workspaces", index, "name"), f"'{name[:80]}' cannot be the name of a workspace")
    users: list[tuple[str, int, Container]] = [("steps", index, step) for index, step in enumerate(spec.steps)]
    users += [("sidecars", index, sidecar) for index, sidecar in enumerate(spec.sidecars)]
    for kind, index, user in users:
        for number, usage in enumerate(getattr(user, "workspaces", ())):
            if usage.name not in names:
                yield Problem((*path, kind, index, "workspaces", number, "name"), f"undefined workspace '{usage.name}'")
    yield from _mount_paths(spec, users, path)


def _mount_paths(spec: TaskSpec, users: list[tuple[str, int, Container]], path: Path) -> Problems:
    """A mount path is where a container sees a workspace; a process cannot, so nothing may name it literally."""
    mounts = {workspace.mount_path for workspace in spec.workspaces}
    mounts |= {usage.mount_path for _, _, user in users for usage in getattr(user, "workspaces", ())}
    mounts = {mount.rstrip("/") for mount in mounts if len(mount.rstrip("/")) > 1}
    for kind, index, user in users:
        for field, text in _literal_texts(user, getattr(user, "script", "")):
            for mount in mounts:
                if re.search(rf"(?<![\w)./}}~-]){re.escape(mount)}(?=/|$|[\s\"';:,)])", text):
                    todo = "the runner on one machine mounts nothing: write $(workspaces.NAME.path)"
                    yield Problem((*path, kind, index, *field), f"the literal path '{mount}' of a workspace; {todo}")


def _container(container: Container, script: str, path: Path) -> Problems:
    if not container.image:
        yield Problem((*path, "image"), "missing field")
    if script and container.command:
        yield Problem((*path, "script"), "script cannot be used with command")
    if script.strip().startswith("#!win"):
        yield Problem((*path, "script"), "the runner on one machine does not support Windows scripts")
    if not script and not container.command:
        what = "neither command nor script: the image's entrypoint is not known to the runner on one machine"
        yield Problem((*path, "command"), what)
    for index, env in enumerate(container.env):
        if not _ENV_NAME.fullmatch(env.name):
            yield Problem((*path, "env", index, "name"), f"'{env.name[:80]}' cannot be the name of a variable")
    for field, text in _literal_texts(container, script):
        if _ARTIFACT.search(text):
            yield Problem((*path, *field), "the runner on one machine does not support artifacts (alpha in Tekton)")
    yield from _host_paths(container, script, path)


def _host_paths(container: Container, script: str, path: Path) -> Problems:
    for field, text in _literal_texts(container, script):
        if match := CONTAINER_PATH.search(text):
            todo = "write $(results.NAME.path), $(workspaces.NAME.path) and the like"
            what = f"the literal path '/{match.group(1)}' is only there in a container; {todo}"
            yield Problem((*path, *field), what)


def _literal_texts(container: Container, script: str) -> Iterator[tuple[Path, str]]:
    yield ("script",), script
    yield ("workingDir",), container.working_dir
    for field, items in (("command", container.command), ("args", container.args)):
        for index, text in enumerate(items):
            yield (field, index), text
    for index, env in enumerate(container.env):
        yield ("env", index, "value"), env.value


def _step(step: Step, path: Path) -> Problems:
    yield from _container(step, step.script, path)
    if step.name and not DNS_LABEL.fullmatch(step.name):
        yield Problem((*path, "name"), f"invalid value '{step.name[:80]}': it must be a valid DNS label")
    if step.timeout is not None and step.timeout < 0:
        yield Problem((*path, "timeout"), "negative timeout")
    if step.on_error not in ("", "continue", "stopAndFail") and not step.on_error.startswith("$(params"):
        yield Problem((*path, "onError"), 'Task step onError must be either "continue" or "stopAndFail"')
    for field in ("name", "image", "script", "working_dir"):
        if STEP_RESULT.search(getattr(step, field)):
            alias = {"working_dir": "workingDir"}.get(field, field)
            yield Problem((*path, alias), "stepResult substitutions are only allowed in env, command and args")
    if step.results:
        if message := unknown_variable(step.script, r"step\.results", [result.name for result in step.results]):
            yield Problem((*path, "script"), message)
        for index, result in enumerate(step.results):
            yield from _result(result, (*path, "results", index))
    yield from validate_when(step.when, path)


def validate_array_usage(steps: list[Step], arrays: list[str], path: Path) -> Problems:
    """References to whole arrays where they cannot be put in: in scripts, or within an argument."""
    for index, step in enumerate(steps):
        for field, text, item in texts(step):
            check = not_isolated if item else prohibited_variable
            if message := check(text, "params", arrays):
                yield Problem((*path, "steps", index, *field), message)


def _result(result: StepResult, path: Path) -> Problems:
    if not RESULT_NAME.fullmatch(result.name) or len(result.name) > 200:
        yield Problem((*path, "name"), f"'{result.name[:80]}' cannot be the name of a result")
    if result.type == "object" and result.properties is None:
        yield Problem((*path, "properties"), "an object needs its properties")
    if any(prop.type != "string" for prop in (result.properties or {}).values()):
        yield Problem((*path, "properties"), "the values of an object must be of type string")


def _task_result_value(result: TaskResult, path: Path) -> Problems:
    if result.value is None or result.value == "":
        return
    for text in value_texts(result.value):
        match = re.search(r"\$\(steps\.(.*?)\.results\.(.*?)\)", text)
        if not isinstance(result.value, str) or match is None:
            yield Problem((*path, "value"), "it must look like $(steps.STEP.results.RESULT)")
            return
        if not DNS_LABEL.fullmatch(match.group(1)) or not RESULT_NAME.fullmatch(match.group(2)):
            yield Problem((*path, "value"), "the step or result that it names is invalid")
