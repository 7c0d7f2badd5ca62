"""The pipeline that one commit is run by: the verify pipeline over all cases. Nothing is archived or published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.foundation.yaml_text import read_yaml

BASE = "verify"
LEFT_OUT = ("check",)
"""The repository's own checks: a commit whose linter fails can still be measured."""
DROPPED = {"collect": ("require-all",)}
"""A case that failed is recorded, as on the release track: whether it counts is for the search to say."""
LIMITS = {"infer": "6h", "measure": "6h"}
"""As on the release track: all cases take longer than a few."""
SUITE = "same-suite"
REFERENCE = "reference"


def pipeline_run(manifests: Path, name: str) -> dict[str, Any]:
    """A PipelineRun with the verify pipeline's own tasks, from *clone* to *measure*, and *same-suite* after *clone*.

    Verify and release go the same way up to *measure*; the parameter ``slice`` is empty unless it is set.

    Args:
        manifests: the folder of the pipelines that come with Penstock.
        name: the run's.
    """
    path = manifests / "pipelines" / f"{BASE}.yaml"
    spec = read_yaml(path, name=str(path)).value["spec"]
    tasks: list[dict[str, Any]] = []
    for task in spec["tasks"]:
        if task["name"] not in LEFT_OUT:
            tasks.append(_task(task))
        if task["name"] == "clone":
            tasks.append(_same_suite())
    params = [param | {"default": ""} if param["name"] == "slice" else param for param in spec["params"]]
    workspaces = [*spec["workspaces"], {"name": REFERENCE}]
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": name},
        "spec": {
            "pipelineSpec": {"params": params, "workspaces": workspaces, "tasks": tasks},
            "timeouts": {"pipeline": "0"},
        },
    }


def _task(task: dict[str, Any]) -> dict[str, Any]:
    """The task as it is, but that it comes after *same-suite* where it came after what is left out."""
    changed = dict(task)
    if task["name"] in LIMITS:
        changed["timeout"] = LIMITS[task["name"]]
    if any(before in LEFT_OUT for before in task.get("runAfter", [])):
        changed["runAfter"] = [SUITE]
    if dropped := DROPPED.get(task["name"]):
        changed["params"] = [param for param in task["params"] if param["name"] not in dropped]
    if task["name"] == "clone":
        tracked = {"name": "track", "value": "bisect"}
        changed["params"] = [tracked if param["name"] == "track" else param for param in task["params"]]
    return changed


def _same_suite() -> dict[str, Any]:
    places = ("source", "bundle", REFERENCE)
    step = {
        "name": SUITE,
        "image": "penstock.local/clone:0.1.0",
        "command": ["python", "-m", "penstock.bisect.same_suite"],
        "args": [f"--{place}=$(workspaces.{place}.path)" for place in places],
    }
    run = "runs/$(context.pipelineRun.name)"
    return {
        "name": SUITE,
        "runAfter": ["clone"],
        "timeout": "1h",
        "taskSpec": {"workspaces": [{"name": place} for place in places], "steps": [step]},
        "workspaces": [
            {"name": "source", "workspace": "work", "subPath": f"{run}/source"},
            {"name": "bundle", "workspace": "work", "subPath": f"{run}/bundle"},
            {"name": REFERENCE, "workspace": REFERENCE},
        ],
    }
