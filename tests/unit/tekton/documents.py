"""Manifests for tests, and what a run of them showed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from penstock.tekton.run_json import Event, PipelineRunResult

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def step(script: str = "", **fields: Any) -> dict[str, Any]:
    """One step with a script, or with ``command``."""
    return {"image": "none", **({"script": script} if script else {}), **fields}


def task(name: str, script: str = "true", **fields: Any) -> dict[str, Any]:
    """A pipeline task with its task inside. ``results``, ``steps``, ``sidecars`` and the like go into the task."""
    inner = ("steps", "sidecars", "stepTemplate", "spec_params", "spec_workspaces", "results", "volumes")
    spec = {key.removeprefix("spec_"): fields.pop(key) for key in inner if key in fields}
    if "results" in spec:
        spec["results"] = [{"name": item} if isinstance(item, str) else item for item in spec["results"]]
    spec.setdefault("steps", [step(script)])
    return {"name": name, "taskSpec": spec, **{key.rstrip("_"): value for key, value in fields.items()}}


def pipeline(*tasks: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Pipeline. ``finally_`` is its ``finally``."""
    spec = {"tasks": list(tasks), **{key.rstrip("_"): value for key, value in fields.items()}}
    return {"apiVersion": "tekton.dev/v1", "kind": "Pipeline", "metadata": {"name": "p"}, "spec": spec}


def pipeline_run(*tasks: dict[str, Any], run: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A PipelineRun with its pipeline inside; ``run`` goes into the spec of the run."""
    spec = {"pipelineSpec": pipeline(*tasks, **fields)["spec"], **(run or {})}
    return {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": "pr"}, "spec": spec}


def a_task(name: str, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A Task of its own."""
    spec = {"steps": list(steps), **fields}
    return {"apiVersion": "tekton.dev/v1", "kind": "Task", "metadata": {"name": name}, "spec": spec}


@dataclass
class Ran:
    """A run and everything that could be seen of it."""

    result: PipelineRunResult
    directory: Path
    events: list[Event] = field(default_factory=list)

    def lines(self, task_name: str) -> list[str]:
        """What the steps of a pipeline task printed."""
        return [event.text for event in self.events if event.kind == "output" and event.pipeline_task == task_name]

    def reasons(self) -> dict[str, str]:
        """The reason of each TaskRun, by pipeline task (the last one of a matrix)."""
        return {record.pipeline_task: record.reason for record in self.result.task_runs}

    def skipped(self) -> dict[str, str]:
        """Why each skipped task was skipped."""
        return {skip.name: skip.reason for skip in self.result.skipped_tasks}


Runner = Callable[..., Ran]


class _Dumper(yaml.SafeDumper):
    """Quotes what ``kubectl`` takes for a boolean and PyYAML does not."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if text in ("y", "Y", "n", "N") else None)


_Dumper.add_representer(str, _text)


def write(path: Path, *documents: dict[str, Any]) -> Path:
    """Write manifests into one file."""
    path.write_text(yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False))
    return path
