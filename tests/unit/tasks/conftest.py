"""The workspaces of one step."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.notices.forge_comments import GROUP_NOTES, PULL
from tests.unit.notices.forge_server import Server, forge_server
from tests.unit.report.verdicts import ALL, RUN
from tests.unit.tasks.step_folders import StepFolders

from penstock.bundle.directory import Bundle
from penstock.bundle.steps import begin


@pytest.fixture
def folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> StepFolders:
    """A run that has begun, without a repository."""
    return StepFolders(tmp_path / "run", capsys)


@pytest.fixture
def server() -> Iterator[Server]:
    """A forge without a comment."""
    with forge_server() as state:
        state.comments |= {PULL: [], GROUP_NOTES: []}
        yield state


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A rejected release, and no token in the environment."""
    for name in ("PENSTOCK_FORGE_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = Bundle(tmp_path / "bundle")
    begin(found, run_id="release-7", track="release")
    found.update_run(RUN)
    found.write_verdict(ALL)
    return found
