"""The way of calling is the contract's, and one interface hides which."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.foundation.errors import PenstockError
from penstock.invocation.driver import start


@pytest.mark.slow
def test_program_is_started_for_each_call(repository: Path, program_contract, case, tmp_path: Path) -> None:
    made, inputs = case("ok")
    output = tmp_path / "out" / "output.mp4"
    readable = (tmp_path / "inputs",)
    with start(program_contract(), repository, tmp_path / "scratch", tmp_path / "log", readable=readable) as model:
        assert not model.warm
        first = model.call(made, inputs, output, 20.0)
        assert (first.status, first.error) == ("ok", None)
        assert output.stat().st_size > 0
        assert not model.warm
    assert not (tmp_path / "scratch").exists()


def test_program_that_is_not_there_is_no_fault_of_the_case(
    repository: Path, program_contract, case, tmp_path: Path
) -> None:
    contract = program_contract()
    command = contract.call.command.model_copy(update={"argv": ["no-such-program", "{output}"]})
    contract = contract.model_copy(update={"call": contract.call.model_copy(update={"command": command})})
    made, inputs = case("ok")
    with (
        pytest.raises(PenstockError, match="no-such-program"),
        start(contract, repository, tmp_path / "scratch", tmp_path / "log") as model,
    ):
        model.call(made, inputs, tmp_path / "output.mp4", 20.0)
