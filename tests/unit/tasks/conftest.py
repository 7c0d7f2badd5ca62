"""The workspaces of one step."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tasks.step_folders import StepFolders


@pytest.fixture
def folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> StepFolders:
    """A run that has begun, without a repository."""
    return StepFolders(tmp_path / "run", capsys)
