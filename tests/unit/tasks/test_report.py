"""The step report: the page and its summaries, with a baseline or without one."""

from __future__ import annotations

import shutil

import pytest
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.models import Inference

pytestmark = pytest.mark.usefixtures("one_worker")


@pytest.fixture
def judged(folders: StepFolders) -> StepFolders:
    folders.write_repository()
    folders.cloned(inference=Inference(unchanged=False, parts=["1/1"]))
    folders.shard("ok", "ok")
    for step in ("collect", "measure"):
        assert folders.call(step).code == 0
    assert folders.call("gate", f"--store={folders.store}").code == 0
    return folders


@pytest.mark.slow
def test_page_summaries_and_junit_are_there(judged: StepFolders) -> None:
    answer = judged.call("report")
    assert answer.code == 0
    made = {path.name for path in judged.bundle.report.iterdir()}
    assert {"index.html", "summary.md", "pull-request.md", "junit.xml", "pictures"} <= made
    assert "pass" in answer.results["summary"].lower()
    assert len(answer.results["summary"].encode()) <= 750
    assert judged.bundle.run().steps[-1].name == "report"


@pytest.mark.slow
def test_baseline_of_a_run_is_shown_and_an_empty_folder_is_none(judged: StepFolders) -> None:
    judged.call("report")
    first = (judged.bundle.report / "index.html").read_text(encoding="utf-8")
    assert "run-1" not in first
    shutil.copytree(judged.bundle.path, judged.baseline.path, dirs_exist_ok=True)
    judged.baseline.update_run(judged.baseline.run().model_copy(update={"run_id": "run-1"}))
    judged.bundle.write_verdict(judged.bundle.verdict().model_copy(update={"baseline": "run-1"}))
    assert judged.call("report").code == 0
    assert "run-1" in (judged.bundle.report / "index.html").read_text(encoding="utf-8")
