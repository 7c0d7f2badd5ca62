"""A program that fails, says nothing or writes elsewhere is a result, not an exception."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.invocation.conftest import PROGRAM

from penstock.invocation.command import CommandModel
from penstock.invocation.driver import start


@pytest.mark.slow
@pytest.mark.parametrize("order", ["exit", "nothing"])
def test_bad_end_is_a_failure_with_a_reason_and_no_output(
    order: str, repository: Path, program_contract, case, tmp_path: Path
) -> None:
    script = PROGRAM if f'"{order}"' in PROGRAM else f"import sys\nsys.exit({3 if order == 'exit' else 0})\n"
    (repository / "program.py").write_text(script, encoding="utf-8")
    made, inputs = case(order)
    with start(program_contract(), repository, tmp_path / "scratch", tmp_path / "log") as model:
        assert isinstance(model, CommandModel)
        result = model.call(made, inputs, tmp_path / "output.mp4", 20.0)
        assert model.revive() == model.revive()
    assert result.status == "failed"
    assert result.error
    assert not (tmp_path / "output.mp4").exists()
