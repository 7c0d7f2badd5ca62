"""The step same-suite: every commit gets the suite of the bad one, and the bundle says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tasks.step_folders import StepFolders

from penstock.bisect.same_suite import RESULTS, Arguments, step
from penstock.contract.load import load_contract
from penstock.sources.tree import tree_digest
from penstock.steps.entrypoint import run_step


@pytest.fixture
def folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> StepFolders:
    found = StepFolders(tmp_path / "run", capsys)
    found.write_repository()
    return found


def call(folders: StepFolders, reference: Path) -> int:
    argv = [f"--source={folders.source}", f"--bundle={folders.bundle.path}", f"--reference={reference}"]
    return run_step("same-suite", Arguments, RESULTS, step, argv)


def test_suite_of_the_bad_commit_replaces_the_commits_own(folders: StepFolders, tmp_path: Path) -> None:
    bad = StepFolders(tmp_path / "bad", folders._capsys)
    text = (folders.source / "suite" / "suite.yaml").read_text(encoding="utf-8").replace("name: two", "name: zwei")
    bad.write_repository(**{"suite/suite.yaml": text})
    folders.cloned()
    assert call(folders, bad.source) == 0
    suite = load_contract(folders.source).suite
    assert (folders.source / suite / "suite.yaml").read_text(encoding="utf-8") == text
    run = folders.bundle.run()
    assert run.source is not None
    assert run.source.tree == tree_digest(folders.source)
    assert (run.steps[-1].status, run.steps[-1].note) != ("unchanged", "")
    assert call(folders, bad.source) == 0
    assert folders.bundle.run().steps[-1].status == "unchanged"


def test_what_was_not_cloned_is_refused(folders: StepFolders) -> None:
    assert call(folders, folders.source) == 2
