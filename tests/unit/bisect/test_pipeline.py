"""The pipeline of one commit is the verify pipeline's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from penstock.bisect.pipeline import commit_run
from penstock.tekton.load_manifests import load_pipeline

MANIFESTS = Path(__file__).parents[3] / "tekton"
MEASURING = ("clone", "weights", "build", "plan", "export", "infer", "collect", "measure")


def test_from_clone_to_measure_and_nothing_that_publishes(tmp_path: Path) -> None:
    file = tmp_path / "pipelinerun.json"
    file.write_text(json.dumps(commit_run("bisect-1")), encoding="utf-8")
    loaded = load_pipeline(file, task_directories=[MANIFESTS / "tasks"])
    names = [task.name for task in loaded.spec.tasks]
    assert names == ["clone", "same-suite", *MEASURING[1:]]
    assert set(loaded.tasks) == set(MEASURING)
    assert not loaded.spec.finally_tasks
    assert "$(params.slice)" in file.read_text(encoding="utf-8")


@pytest.mark.slow
def test_its_tasks_are_as_they_are_in_the_verify_pipeline() -> None:
    verify = yaml.safe_load((MANIFESTS / "pipelines" / "verify.yaml").read_text(encoding="utf-8"))["spec"]
    theirs = {task["name"]: task for task in verify["tasks"]}
    ours = commit_run("x")["spec"]["pipelineSpec"]
    for task in ours["tasks"]:
        if task["name"] == "same-suite":
            continue
        for key in ("taskRef", "retries", "workspaces", "when", "matrix"):
            assert task.get(key) == theirs[task["name"]].get(key)
        params = {param["name"]: param["value"] for param in task.get("params", [])}
        before = {param["name"]: param["value"] for param in theirs[task["name"]].get("params", [])}
        changed = {name: value for name, value in before.items() if params.get(name) != value}
        assert set(changed) == {"clone": {"track"}, "collect": {"require-all"}}.get(task["name"], set())
    release = yaml.safe_load((MANIFESTS / "pipelines" / "release.yaml").read_text(encoding="utf-8"))["spec"]
    limits = {task["name"]: task["timeout"] for task in release["tasks"]}
    assert all(task["timeout"] == limits[task["name"]] for task in ours["tasks"] if task["name"] != "same-suite")
    assert {param["name"]: param.get("default") for param in ours["params"]}["slice"] == ""
    assert next(task for task in ours["tasks"] if task["name"] == "weights")["runAfter"] == ["same-suite"]
