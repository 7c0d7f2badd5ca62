"""The pipelines that come with Penstock, as runs on this machine use them."""

from __future__ import annotations

import pytest

from penstock.local_run.own_pipelines import TRACKS, manifests, measuring_tasks, track_run, verify_spec


@pytest.mark.parametrize("track", TRACKS)
def test_a_track_is_there_and_has_no_limit_of_an_hour(track: str) -> None:
    assert (manifests() / "pipelines" / f"{track}.yaml").is_file()
    run = track_run(track, "r")
    assert run["metadata"]["name"] == "r"
    assert run["spec"] == {"pipelineRef": {"name": track}, "timeouts": {"pipeline": "0"}}


def test_measuring_leaves_the_checks_out_and_says_its_track() -> None:
    spec = verify_spec()
    tasks = {task["name"]: task for task in measuring_tasks(spec, track="bisect", after="same-suite")}
    assert list(tasks) == ["clone", "weights", "build", "plan", "export", "infer", "collect", "measure"]
    assert [param["value"] for param in tasks["clone"]["params"] if param["name"] == "track"] == ["bisect"]
    after_checks = [task["name"] for task in spec["tasks"] if "check" in task.get("runAfter", ())]
    assert after_checks
    assert all(tasks[name]["runAfter"] == ["same-suite"] for name in after_checks)
    assert [param["default"] for param in spec["params"] if param["name"] == "slice"] == [""]
