"""What the commands ``penstock score …`` share is said once and works in each."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.app import main


@pytest.mark.parametrize("command", ["lipsync", "frechet"])
def test_each_takes_a_precision(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", command, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "--precision f32|bf16" in text
    sides = [str(tmp_path)] * (2 if command == "frechet" else 1)
    assert main(["score", command, *sides, "--precision", "f16"]) == 2
    assert "--precision" in capsys.readouterr().err
