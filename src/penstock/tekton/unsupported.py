"""What a process cannot do that a container can: refused before anything runs, though Tekton admits it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from penstock.tekton.manifest import PipelineSpec
from penstock.tekton.manifest_task import Container, Sidecar, Step, TaskSpec
from penstock.tekton.problems import Path, Problem, Problems
from penstock.tekton.references import refers_to_artifact
from penstock.tekton.step_template import merged_steps
from penstock.tekton.substitution import value_texts
from penstock.tekton.values import Value

_CONTAINER_PATH = re.compile(r"(?<![\w)./}~-])/(tekton|workspace)(?=/|$|[\s\"';:,)])")
_WORKSPACE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_ENV_NAME = re.compile(r"[^=\x00]+")
_MAX_RESULT_NAME = 200
_MAX_SHOWN = 80


def pipeline_limits(spec: PipelineSpec, path: Path) -> Problems:
    """What this machine cannot do of a pipeline and of the tasks that are written inside it."""
    for index, param in enumerate(spec.params):
        yield from container_path(param.default or "", (*path, "params", index, "default"))
    for section, tasks in (("tasks", spec.tasks), ("finally", spec.finally_tasks)):
        for index, task in enumerate(tasks):
            for number, given in enumerate(task.params):
                yield from container_path(given.value, (*path, section, index, "params", number, "value"))
            if task.task_spec is not None:
                yield from task_limits(task.task_spec, (*path, section, index, "taskSpec"))


def task_limits(spec: TaskSpec, path: Path) -> Problems:
    """What this machine cannot do of a task."""
    for index, param in enumerate(spec.params):
        yield from container_path(param.default or "", (*path, "params", index, "default"))
    for index, workspace in enumerate(spec.workspaces):
        if not _WORKSPACE_NAME.fullmatch(workspace.name):
            what = f"'{workspace.name[:_MAX_SHOWN]}' cannot be the name of a workspace"
            yield Problem((*path, "workspaces", index, "name"), what)
    for index, step in enumerate(merged_steps(spec)):
        yield from _container(step, step.script, (*path, "steps", index))
        for number, result in enumerate(step.results):
            yield from _result_name(result.name, (*path, "steps", index, "results", number))
    for index, sidecar in enumerate(spec.sidecars):
        yield from _container(sidecar, sidecar.script, (*path, "sidecars", index))
        for field, text in _texts(sidecar, sidecar.script):
            if refers_to_artifact(text):
                what = "the runner on one machine does not support artifacts (alpha in Tekton)"
                yield Problem((*path, "sidecars", index, *field), what)
    if spec.step_template is not None:
        yield from _literal_paths(spec.step_template, "", (*path, "stepTemplate"))
    for index, result in enumerate(spec.results):
        yield from _result_name(result.name, (*path, "results", index))
    yield from _mount_paths(spec, path)


def container_path(value: Value, path: Path) -> Problems:
    """A value that is a path that only a container has."""
    if any(_CONTAINER_PATH.search(text) for text in value_texts(value)):
        yield Problem(path, "a literal path below /tekton or /workspace is only there in a container")


def _container(container: Container, script: str, path: Path) -> Problems:
    if script.strip().startswith("#!win"):
        yield Problem((*path, "script"), "the runner on one machine does not support Windows scripts")
    if not script and not container.command:
        what = "neither command nor script: the image's entrypoint is not known to the runner on one machine"
        yield Problem((*path, "command"), what)
    for index, env in enumerate(container.env):
        if not _ENV_NAME.fullmatch(env.name):
            yield Problem((*path, "env", index, "name"), f"'{env.name[:_MAX_SHOWN]}' cannot be the name of a variable")
    yield from _literal_paths(container, script, path)


def _literal_paths(container: Container, script: str, path: Path) -> Problems:
    for field, text in _texts(container, script):
        if match := _CONTAINER_PATH.search(text):
            todo = "write $(results.NAME.path), $(workspaces.NAME.path) and the like"
            what = f"the literal path '/{match.group(1)}' is only there in a container; {todo}"
            yield Problem((*path, *field), what)


def _result_name(name: str, path: Path) -> Problems:
    if len(name) > _MAX_RESULT_NAME:
        what = f"the name '{name[:_MAX_SHOWN]}…' of a result is longer than {_MAX_RESULT_NAME} characters"
        yield Problem((*path, "name"), what)


def _mount_paths(spec: TaskSpec, path: Path) -> Problems:
    """A mount path is where a container sees a workspace; a process cannot, so nothing may name it literally."""
    users: list[tuple[str, int, Step | Sidecar]] = [("steps", index, step) for index, step in enumerate(spec.steps)]
    users += [("sidecars", index, sidecar) for index, sidecar in enumerate(spec.sidecars)]
    mounts = {workspace.mount_path for workspace in spec.workspaces}
    mounts |= {usage.mount_path for _, _, user in users for usage in user.workspaces}
    mounts = {mount.rstrip("/") for mount in mounts if len(mount.rstrip("/")) > 1}
    for kind, index, user in users:
        for field, text in _texts(user, user.script):
            for mount in mounts:
                if re.search(rf"(?<![\w)./}}~-]){re.escape(mount)}(?=/|$|[\s\"';:,)])", text):
                    todo = "the runner on one machine mounts nothing: write $(workspaces.NAME.path)"
                    yield Problem((*path, kind, index, *field), f"the literal path '{mount}' of a workspace; {todo}")


def _texts(container: Container, script: str) -> Iterator[tuple[Path, str]]:
    yield ("script",), script
    yield ("workingDir",), container.working_dir
    for field, items in (("command", container.command), ("args", container.args)):
        for index, text in enumerate(items):
            yield (field, index), text
    for index, env in enumerate(container.env):
        yield ("env", index, "value"), env.value
