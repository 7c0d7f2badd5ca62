"""``penstock serve``: what it refuses to start with; what it shows is tested under ``tests/unit/book``."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from penstock.cli.app import main
from penstock.cli.serve import KEY_VARIABLE, serve


def test_help_has_an_example() -> None:
    assert serve.__doc__ is not None
    assert "Example: penstock serve --store" in serve.__doc__


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "could read the whole store"),
        (["--proxy", "everybody", "--user-header", "X-User"], "this is not a network"),
        (["--tokens", "absent.txt"], "absent.txt: the file is missing"),
        (["--key", "short.key"], "at least 32 bytes"),
        (["--port", "99999"], "is not a port"),
    ],
)
def test_refusals(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    (tmp_path / "short.key").write_text("hunter2")
    (tmp_path / "store").mkdir()
    assert main(["serve", "--store", "store", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "hunter2" not in said


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--store", str(tmp_path / "absent")]) == 2
    assert "there is no store here" in capsys.readouterr().err
    assert not (tmp_path / "absent").exists()


def test_a_key_in_the_environment_need_not_be_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, os.fsdecode(b"\xff" * 32))
    (tmp_path / "tokens.txt").write_text(f"ann sha256:{'0' * 64}\n")
    tokens = str(tmp_path / "tokens.txt")
    # 192.0.2.1 is nobody's: what is refused is the address, after the key was read
    assert main(["serve", "--store", str(tmp_path), "--host", "192.0.2.1", "--port", "0", "--tokens", tokens]) == 4
    assert "cannot listen" in capsys.readouterr().err


def test_raters_who_can_read_the_book_are_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "raters.txt").write_text(f"ann sha256:{'0' * 64}\n")
    given = ["--store", str(tmp_path), "--ratings", str(tmp_path / "raters.txt")]
    with socket.create_server(("127.0.0.1", 0)) as taken:  # what is refused is the port, after that was said
        assert main(["serve", *given, "--port", str(taken.getsockname()[1])]) == 4
    assert "give --tokens or --user-header for ratings that count" in capsys.readouterr().err
