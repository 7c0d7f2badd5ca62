"""The step enforce: a run is red unless its verdict is a pass."""

from __future__ import annotations

import pytest
from tests.unit.tasks.step_folders import StepFolders

OF_A_CANDIDATE = [("pass", 0), ("fail", 1), ("inconclusive", 3)]
OF_A_RELEASE_RUN_AGAIN = [("same", 0), ("values", 1), ("conditions", 3)]
OF_NOBODY = [("", 2), ("PASS", 2), ("passed", 2)]


@pytest.mark.parametrize(("verdict", "code"), [*OF_A_CANDIDATE, *OF_A_RELEASE_RUN_AGAIN, *OF_NOBODY])
def test_exit_code_is_the_verdict(folders: StepFolders, verdict: str, code: int) -> None:
    answer = folders.call("enforce", f"--verdict={verdict}", "--reason=sharpness fell")
    assert answer.code == code
    assert code not in (1, 3) or "sharpness fell" in answer.error
