"""``penstock score quality`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.families.face.comparisons import write_qualities

from penstock.cli.app import main


def test_json_by_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "q.csv"
    file.write_text("quality,ood,error\n0.9,0,0\n0.7,0,0\n0.7,1,1\n0.1,1,1\n")
    assert main(["score", "quality", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["auroc"], found["fpr95"], found["accepted_ood95"]) == (0.875, 0.5, 0.5)
    assert found["discard"] == [[0, 0.5, 0.1], [0.25, pytest.approx(1 / 3), 0.7], [0.75, 0, 0.9]]
    assert found["bands"]["mark"]["ood"]["share"] == 0.5
    assert found["reasons"] == {}


def test_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "quality", str(write_qualities(tmp_path / "q.csv"))]) == 0
    text = capsys.readouterr().out
    assert "of the usable images are lost where 95 % of the others are found" in text
    assert "images          100, 40 of them out of distribution" in text
    assert "band refuse" in text


def test_a_bad_file_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "q.csv"
    file.write_text("quality,ood\n0.9,0\n0.1,yes\n")
    assert main(["score", "quality", str(file)]) == 2
    assert capsys.readouterr().err == f"error: {file}:3: ood: 'yes' is neither 0 nor 1\n"
