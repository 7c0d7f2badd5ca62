"""What every entrypoint shares: arguments, results, log lines, exit codes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock.foundation.errors import UsageError, WorldError
from penstock.steps.entrypoint import param, run_step, shorten, workspace


@dataclass(frozen=True)
class Arguments:
    """A step of the test."""

    url: str = param("where")
    depth: int = param("how deep, 100 %", default=1)
    lfs: bool = param("with LFS", default=True)
    source: Path = workspace("the source")
    ssh_directory: Path | None = workspace("keys", optional=True)


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_arguments_arrive_typed_and_results_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = []

    def step(arguments: Arguments) -> dict[str, str]:
        seen.append(arguments)
        return {"commit": "abc"}

    argv = [
        "--url=x",
        "--depth=3",
        "--lfs=false",
        f"--source={tmp_path}",
        "--ssh-directory=",
        f"--result=commit={tmp_path / 'r'}",
    ]
    assert run_step("test", Arguments, ("commit",), step, argv) == 0
    assert seen == [Arguments(url="x", depth=3, lfs=False, source=tmp_path, ssh_directory=None)]
    assert (tmp_path / "r").read_text() == "abc"
    assert last_line(capsys)["event"] == "done"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--url=x", "--source=y", "--nonsense"],
        ["--url=x", "--source=y", "--depth=z"],
        ["--url=x", "--source=y", "--lfs=maybe"],
    ],
)
def test_bad_arguments_are_two(argv: list[str]) -> None:
    assert run_step("test", Arguments, (), lambda _: {}, argv) == 2


def test_an_unbound_workspace_is_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_step("test", Arguments, (), lambda _: {}, ["--url=x", "--source="]) == 2
    assert "workspace" in last_line(capsys)["error"]


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("no"), 2), (WorldError("down"), 4), (KeyError("x"), 70), (KeyboardInterrupt(), 130)]
)
def test_errors_become_one_line_and_a_code(error: BaseException, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    def step(_: Arguments) -> dict[str, str]:
        raise error

    assert run_step("test", Arguments, (), step, ["--url=x", "--source=y"]) == code
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "Traceback" not in captured.err


def test_results_that_were_not_declared_are_our_bug(tmp_path: Path) -> None:
    assert run_step("test", Arguments, ("a",), lambda _: {"b": ""}, ["--url=x", "--source=y"]) == 70
    assert run_step("test", Arguments, ("a",), lambda _: {"a": "x" * 2000}, ["--url=x", "--source=y"]) == 70
    assert (
        run_step(
            "test", Arguments, ("a",), lambda _: {"a": ""}, ["--url=x", "--source=y", f"--result=c={tmp_path / 'c'}"]
        )
        == 2
    )


def test_help_has_an_example_of_each_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_step("test", Arguments, (), lambda _: {}, ["--help"]) == 0
    assert "--ssh-directory" in capsys.readouterr().out


def test_shortened_text_fits_and_stays_utf8() -> None:
    assert len(shorten("ü" * 100, 21).encode()) <= 21
    assert shorten("short", 21) == "short"
