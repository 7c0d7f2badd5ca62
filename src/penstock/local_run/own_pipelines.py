"""The pipelines that come with Penstock, as runs on this machine use them: whole tracks, and up to *measure* alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from penstock.foundation.yaml_text import read_yaml

TRACKS = ("release", "verify")
LAST = "measure"
CHECKS = "check"
"""The task with the repository's own checks: a commit whose linter fails can still be measured."""


def manifests() -> Path:
    """The folder of the pipelines and tasks that come with Penstock."""
    import penstock_manifests  # type: ignore[import-not-found, unused-ignore]

    return Path(next(iter(penstock_manifests.__path__)))


def pipeline_run(name: str, pipeline: dict[str, Any]) -> dict[str, Any]:
    """A PipelineRun without Tekton's limit of one hour for a whole run.

    Args:
        name: the run's.
        pipeline: ``pipelineRef`` or ``pipelineSpec``.
    """
    spec = pipeline | {"timeouts": {"pipeline": "0"}}
    return {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": name}, "spec": spec}


def track_run(track: str, name: str) -> dict[str, Any]:
    """A PipelineRun of one of :data:`TRACKS`."""
    return pipeline_run(name, {"pipelineRef": {"name": track}})


def verify_spec() -> dict[str, Any]:
    """The verify pipeline's ``spec``, whose parameter ``slice`` is empty unless it is set: all cases.

    Verify and release go the same way up to *measure*.
    """
    path = manifests() / "pipelines" / "verify.yaml"
    spec: dict[str, Any] = read_yaml(path, name=str(path)).value["spec"]
    params = [param | {"default": ""} if param["name"] == "slice" else param for param in spec["params"]]
    return spec | {"params": params}


def measuring_tasks(spec: dict[str, Any], *, track: str, after: str = "clone") -> list[dict[str, Any]]:
    """The tasks from *clone* to *measure*, without the repository's own checks.

    Args:
        spec: of the verify pipeline.
        track: what the bundle says that the run is of.
        after: the task that what came after the checks comes after now.
    """
    tasks = []
    for task in spec["tasks"]:
        changed = dict(task)
        if CHECKS in task.get("runAfter", ()):
            changed["runAfter"] = [after]
        if task["name"] == "clone":
            kept = [param for param in task["params"] if param["name"] != "track"]
            changed["params"] = [*kept, {"name": "track", "value": track}]
        if task["name"] != CHECKS:
            tasks.append(changed)
        if task["name"] == LAST:
            break
    return tasks


def measuring_run(name: str, track: str) -> dict[str, Any]:
    """A PipelineRun of the verify pipeline's own tasks up to *measure*, over the whole suite, without limits of time.

    Args:
        name: the run's.
        track: what the bundle says that the run is of.
    """
    spec = verify_spec()
    tasks = [task | {"timeout": "0"} for task in measuring_tasks(spec, track=track)]
    used = json.dumps(tasks)
    params = [param for param in spec["params"] if f"$(params.{param['name']})" in used]
    return pipeline_run(name, {"pipelineSpec": {"params": params, "workspaces": spec["workspaces"], "tasks": tasks}})
