"""A fork's code: which containers of verify run it, and what is mounted into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.manifests.installed import read

SPEC = read("pipelines/verify.yaml")[0]["spec"]
SECRETS = {entry["name"] for entry in SPEC["workspaces"]} - {"work"}
RUNS_MODEL_CODE = {("check", "check"), ("build", "layers"), ("export", "backends"), ("infer", "infer")}
"""Task and container: the repository's own checks, the RUN lines of its recipe, the model itself."""
NEVER = {
    ("clone", "clone"),
    ("weights", "weights"),
    ("build", "build"),
    ("plan", "plan"),
    ("export", "export"),
    ("collect", "collect"),
    ("measure", "measure"),
    ("gate", "gate"),
    ("report", "report"),
    ("archive", "archive"),
    ("notify", "notify"),
    ("enforce", "enforce"),
}
"""These read files of the repository and what the model has answered, and run nothing of either."""


def containers() -> Iterator[tuple[str, str, dict[str, dict[str, Any]]]]:
    """Task, container, and what the pipeline mounts into it: name in the task → the pipeline's binding."""
    for entry in [*SPEC["tasks"], *SPEC["finally"]]:
        task = read(f"tasks/{entry['taskRef']['name']}.yaml")[0]["spec"]
        bound = {one["name"]: one for one in entry.get("workspaces", [])}
        steps = [*task["steps"], *task.get("sidecars", [])]
        isolated = {one["name"] for step in steps for one in step.get("workspaces", [])}
        for step in steps:
            own = {one["name"] for one in step.get("workspaces", [])}
            seen = {name: one for name, one in bound.items() if name not in isolated or name in own}
            yield entry["taskRef"]["name"], step["name"], seen


def test_each_container_is_known() -> None:
    assert {(task, container) for task, container, _ in containers()} == RUNS_MODEL_CODE | NEVER


@pytest.mark.parametrize(("task", "container"), sorted(RUNS_MODEL_CODE))
def test_no_container_that_runs_a_forks_code_mounts_a_secret_or_a_cache(task: str, container: str) -> None:
    found = [seen for name, step, seen in containers() if (name, step) == (task, container)]
    assert found
    for seen in found:
        assert {one["workspace"] for one in seen.values()} == {"work"}
        assert not {one["workspace"] for one in seen.values()} & SECRETS
        places = {name: one["subPath"] for name, one in seen.items()}
        runtime = places.pop("runtime", "cache/runtime/")
        assert runtime.startswith("cache/runtime/"), "the driver, which is Penstock's own"
        assert all(place.startswith("runs/$(context.pipelineRun.name)/") for place in places.values())
        if "runtime" in seen:
            (driver,) = [one for one in read(f"tasks/{task}.yaml")[0]["spec"]["workspaces"] if one["name"] == "runtime"]
            assert driver["readOnly"] is True


def test_no_container_of_a_run_has_an_account_of_the_cluster() -> None:
    for entry in [*SPEC["tasks"], *SPEC["finally"]]:
        for step in read(f"tasks/{entry['taskRef']['name']}.yaml")[0]["spec"]["steps"]:
            assert not {"env", "envFrom", "volumeMounts"} & step.keys(), "a secret could come this way too"


def test_whoever_could_write_a_cache_is_told_that_it_is_a_fork() -> None:
    given = {"name": "fork", "value": "$(params.fork)"}
    tasks = {entry["name"]: entry for entry in [*SPEC["tasks"], *SPEC["finally"]]}
    told = {name for name, entry in tasks.items() if given in entry.get("params", [])}
    assert told == {"clone", "build", "collect", "measure", "archive", "notify"}
