"""The command driver against real programs that misbehave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.contract.models import Case, Contract
from penstock.foundation.errors import WorldError
from penstock.invocation.driver import start
from penstock.invocation.model import CallResult

MakeCase = Callable[[str], tuple[Case, dict[str, Path]]]
MakeContract = Callable[..., Contract]
Call = Callable[..., CallResult]


@pytest.fixture
def call(tmp_path: Path, repository: Path, case: MakeCase) -> Call:
    def run(contract: Contract, order: str, timeout_s: float = 20.0) -> CallResult:
        inputs = tmp_path / "inputs"
        inputs.mkdir(exist_ok=True)
        output = tmp_path / "output.mp4"
        output.unlink(missing_ok=True)
        with start(contract, repository, tmp_path / "scratch", tmp_path / "log", readable=(inputs,)) as model:
            result = model.call(*case(order), output, timeout_s)
            assert not model.warm
            assert output.exists() == (result.status == "ok")
            assert not (tmp_path / "scratch" / "call").exists()
        return result

    return run


def test_program_writes_the_output_that_it_was_asked_for(
    call: Call, program_contract: MakeContract, tmp_path: Path
) -> None:
    result = call(program_contract(), "ok")
    assert (result.status, result.exit_code, result.error) == ("ok", 0, None)
    assert result.latency_s is not None
    assert result.peak_memory_mib is not None
    assert result.peak_memory_mib > 5
    assert (tmp_path / "output.mp4").read_text(encoding="utf-8") == "VIDEOORDER:ok"
    assert not list(tmp_path.rglob("stray.txt"))


@pytest.mark.parametrize(
    ("order", "code", "message"),
    [
        ("fail", 9, "the model exited with code 9; the end of its log: Traceback: bad portrait"),
        ("nothing", 0, "the model wrote no output; the end of its log: (empty)"),
        ("empty", 0, "the model's output is empty"),
        ("link", 0, "the model's output is not a regular file"),
        ("pipe", 0, "the model's output is not a regular file"),
        ("folder", 0, "the model's output is not a regular file"),
    ],
)
def test_bad_end_is_a_recorded_failure(
    call: Call, program_contract: MakeContract, order: str, code: int, message: str
) -> None:
    result = call(program_contract(), order)
    assert (result.status, result.exit_code) == ("failed", code)
    assert result.error is not None
    assert result.error.startswith(message)


def test_program_that_hangs_is_ended(call: Call, program_contract: MakeContract) -> None:
    result = call(program_contract(), "hang", timeout_s=1.0)
    assert (result.status, result.error) == ("timeout", "the model did not end within 1 s")


def test_program_that_leaves_a_daemon_ends_with_it(call: Call, program_contract: MakeContract) -> None:
    assert call(program_contract(), "daemon").status == "ok"  # that nothing is left is checked after every test


def test_write_outside_is_refused_and_said(call: Call, program_contract: MakeContract, tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    result = call(program_contract(ESCAPE=str(target)), "escape")
    assert result.status == "failed"
    assert "PermissionError" in str(result.error)
    assert not target.exists()


def test_program_that_is_not_there_is_a_broken_run_not_a_rejected_model(
    tmp_path: Path, repository: Path, case: MakeCase, program_contract: MakeContract
) -> None:
    contract = program_contract()
    command = contract.call.command
    assert command is not None
    broken = command.model_copy(update={"argv": ["no-such-program", "{output}"]})
    contract = contract.model_copy(update={"call": contract.call.model_copy(update={"command": broken})})
    with (
        start(contract, repository, tmp_path / "scratch", tmp_path / "log") as model,
        pytest.raises(WorldError, match="cannot run 'no-such-program': No such file or directory"),
    ):
        model.call(*case("ok"), tmp_path / "output.mp4", 5.0)
