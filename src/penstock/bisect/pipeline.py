"""The pipeline that one commit is run by: the verify pipeline over all cases. Nothing is archived or published."""

from __future__ import annotations

from typing import Any

from penstock.local_run.own_pipelines import measuring_tasks, pipeline_run, verify_spec

DROPPED = {"collect": ("require-all",)}
"""A case that failed is recorded, as on the release track: whether it counts is for the search to say."""
LIMITS = {"export": "6h", "infer": "6h", "measure": "6h"}
"""As on the release track: all cases take longer than a few."""
SUITE = "same-suite"
REFERENCE = "reference"


def commit_run(name: str) -> dict[str, Any]:
    """A PipelineRun with the verify pipeline's own tasks, from *clone* to *measure*, and *same-suite* after *clone*.

    Args:
        name: the run's.
    """
    spec = verify_spec()
    tasks: list[dict[str, Any]] = []
    for task in measuring_tasks(spec, track="bisect", after=SUITE):
        tasks.append(_as_on_release(task))
        if task["name"] == "clone":
            tasks.append(_same_suite())
    workspaces = [*spec["workspaces"], {"name": REFERENCE}]
    return pipeline_run(name, {"pipelineSpec": {"params": spec["params"], "workspaces": workspaces, "tasks": tasks}})


def _as_on_release(task: dict[str, Any]) -> dict[str, Any]:
    """The task with the release track's limits of time, and with cases that may fail."""
    name = task["name"]
    changed = task | ({"timeout": LIMITS[name]} if name in LIMITS else {})
    if dropped := DROPPED.get(name):
        changed["params"] = [param for param in task["params"] if param["name"] not in dropped]
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
