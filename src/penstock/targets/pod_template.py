"""The pair in a pod template: the image, what the init container brings, and whose release it is."""

from __future__ import annotations

import copy
from pathlib import PurePosixPath
from typing import Any

from penstock.foundation.errors import UsageError, one_line
from penstock.targets.pair import ServedPair, ServedWeights
from penstock.targets.targets_file import WorkloadSettings

Json = dict[str, Any]
"""An object of the API, as JSON has it."""

WEIGHTS = "PENSTOCK_WEIGHTS"
"""Of the init container: a line ``SHA256 SOURCE PATH`` for each file."""
REPOSITORY, COMMIT = "PENSTOCK_REPOSITORY", "PENSTOCK_COMMIT"
"""Of the init container: what sources in the repository are relative to."""
USE_ONNX = "PENSTOCK_USE_ONNX"
"""Of the serving container: ``true``, ``false``, or empty where the model decides for itself."""
ANNOTATIONS = "penstock.dev/"
"""What our annotations begin with."""


def hold_weights(files: tuple[ServedWeights, ...], settings: WorkloadSettings, *, where: str) -> None:
    """Refuse weights that would not all come, or that a line of the variable cannot say.

    Raises:
        UsageError: no init container is named; a path leads out of the folder that it writes; a space in a source.
    """
    if files and settings.init_container is None:
        todo = "The image would serve with the weights of another release: name the 'init_container' that brings them."
        raise UsageError("nothing brings the release's weights", where=where, todo=todo)
    for file in files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts or file.path != file.path.strip():
            raise UsageError(f"the weights '{one_line(file.path)[:80]}' lie outside of their folder", where=where)
        if not file.path.isprintable() or not file.source.isprintable() or " " in file.source or not file.source:
            todo = "Name it without spaces and control characters, and release it again."
            raise UsageError(f"the source of '{one_line(file.path)[:80]}' is not one word", where=where, todo=todo)


def hold_template(template: Json, settings: WorkloadSettings, *, where: str) -> None:
    """Refuse a pod template that cannot take the pair, or of which nobody could say when it serves.

    Raises:
        UsageError: a container is not there; the serving one has no readiness probe.
    """
    serving = _container(template, "containers", settings.container, where=where)
    if not serving.get("readinessProbe"):
        todo = "Without one it counts as ready as soon as its program has started: give it one that asks the model."
        raise UsageError(f"the container '{settings.container}' has no readinessProbe", where=where, todo=todo)
    if settings.init_container is not None:
        _container(template, "initContainers", settings.init_container, where=where)


def starves(template: Json, settings: WorkloadSettings) -> bool:
    """Whether a busy node gives the serving container next to nothing: neither it nor its pod asks for processor time.

    A limit alone counts as a request: Kubernetes takes it for one.
    """
    spec = template["spec"]
    serving = next(one for one in spec["containers"] if one.get("name") == settings.container)
    asked = [
        (resources.get(kind) or {}).get("cpu")
        for resources in (serving.get("resources") or {}, spec.get("resources") or {})
        for kind in ("requests", "limits")
    ]
    return all(one in (None, "", "0") for one in asked)


def with_pair(template: Json, pair: ServedPair, settings: WorkloadSettings, *, where: str) -> Json:
    """The pod template that serves the pair. Everything else in it stays as it is.

    Args:
        template: ``spec.template`` of the Deployment or Rollout; it is not changed.
        pair: what is to be served.
        settings: which containers.
        where: the target, for the message.

    Raises:
        UsageError: a container is not there.
    """
    made = copy.deepcopy(template)
    serving = _container(made, "containers", settings.container, where=where)
    serving["image"] = pair.image
    _set(serving, USE_ONNX, pair.values["use_onnx"])
    if settings.init_container is not None:
        bringing = _container(made, "initContainers", settings.init_container, where=where)
        _set(bringing, WEIGHTS, "\n".join(f"{file.sha256} {file.source} {file.path}" for file in pair.weights))
        _set(bringing, REPOSITORY, pair.repository)
        _set(bringing, COMMIT, pair.commit)
    annotations = made.setdefault("metadata", {}).setdefault("annotations", {})
    told = {"model": pair.model, "version": pair.version, "run": pair.run_id}
    annotations |= {f"{ANNOTATIONS}{name}": value for name, value in told.items()}
    return made


def _container(template: Json, kind: str, name: str, *, where: str) -> Json:
    there: list[Json] = template.get("spec", {}).get(kind) or []
    for container in there:
        if container.get("name") == name:
            return container
    word = "init container" if kind == "initContainers" else "container"
    names = ", ".join(str(container.get("name")) for container in there)
    todo = f"It has: {names or 'none'}."
    raise UsageError(f"the pod template has no {word} '{name}'", where=where, todo=todo)


def _set(container: Json, name: str, value: str) -> None:
    """Set a variable where it stands, so that those behind it can refer to it; at the end if it is new.

    Kubernetes puts other variables' values in the place of ``$(NAME)``: what a release says must not fetch a secret.
    """
    entry = {"name": name, "value": value.replace("$", "$$")}
    if not entry["value"]:
        del entry["value"]  # as the API server keeps an empty one
    variables = container.setdefault("env", [])
    places = [number for number, one in enumerate(variables) if one.get("name") == name]
    if not places:
        variables.append(entry)
        return
    variables[places[0]] = entry
    for number in reversed(places[1:]):
        del variables[number]
