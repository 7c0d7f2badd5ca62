"""The step collect: the shards become one bundle, and failed calls count where nothing else judges them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tasks.step_folders import CASES, StepFolders

from penstock.bundle.models import Inference
from penstock.invocation.isolation import best_level


@pytest.fixture
def ready(folders: StepFolders) -> StepFolders:
    folders.write_repository()
    folders.cloned(inference=Inference(unchanged=False, parts=["1/1"]))
    return folders


def test_outputs_of_the_shard_are_the_bundles(ready: StepFolders) -> None:
    ready.shard("ok", "ok")
    answer = ready.call("collect")
    assert (answer.code, answer.results) == (0, {"calls": "2", "failed": "0"})
    calls = ready.bundle.invocations()
    assert [call.case for call in calls] == list(CASES)
    assert all((ready.bundle.path / Path(str(call.output))).is_file() for call in calls)


@pytest.mark.parametrize(("fork", "kept"), [("false", True), ("true", False)])
def test_what_a_forks_code_answered_is_not_kept_for_others(ready: StepFolders, fork: str, kept: bool) -> None:
    planned = Inference(unchanged=False, parts=["1/1"], products="b" * 64, isolation=best_level())
    ready.cloned(inference=planned)
    ready.shard("ok", "ok")
    assert ready.call("collect", f"--fork={fork}").code == 0
    assert bool(list(ready.cache.rglob("*.mp4"))) == kept


def test_failed_call_is_the_gates_to_judge(ready: StepFolders) -> None:
    ready.shard("ok", "failed")
    answer = ready.call("collect")
    assert (answer.code, answer.results) == (0, {"calls": "2", "failed": "1"})
    assert [line["case"] for line in answer.lines if line["event"] == "case failed"] == ["two"]


def test_failed_call_ends_the_verify_track(ready: StepFolders) -> None:
    ready.shard("ok", "failed")
    answer = ready.call("collect", "--require-all=true")
    assert answer.code == 4
    assert "case two" in answer.error


def test_failed_call_of_the_released_model_leaves_no_pair_to_judge(ready: StepFolders) -> None:
    ready.shard("failed", "ok")
    answer = ready.call("collect", "--released=true")
    assert answer.code == 4
    assert "case one" in answer.error
    assert "collect" not in [step.name for step in ready.bundle.run().steps]


def test_call_that_is_missing_is_no_success(ready: StepFolders) -> None:
    assert ready.call("collect").code != 0
