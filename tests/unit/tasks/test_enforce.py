"""The step enforce: a run is red unless its verdict is a pass."""

from __future__ import annotations

import pytest
from tests.unit.tasks.step_folders import StepFolders


@pytest.mark.parametrize(
    ("verdict", "code"), [("pass", 0), ("fail", 1), ("inconclusive", 3), ("", 2), ("PASS", 2), ("passed", 2)]
)
def test_exit_code_is_the_verdict(folders: StepFolders, verdict: str, code: int) -> None:
    answer = folders.call("enforce", f"--verdict={verdict}", "--reason=sharpness fell")
    assert answer.code == code
    assert code not in (1, 3) or "sharpness fell" in answer.error
