"""``penstock score verification`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.families.face.comparisons import write_comparisons

from penstock.cli.app import main
from penstock.families.face.pair_file import read_pairs
from penstock.metrics.verification import equal_error_rate, find_edges, tar_at


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_comparisons(tmp_path / "pairs.csv")
    assert main(["score", "verification", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    edges = find_edges(read_pairs(file)[0])
    assert found["eer"] == equal_error_rate(edges)
    assert found["tar"]["1e-1"] == tar_at(edges, 10)
    assert found["tar_interval"]["1e-1"][0] < found["tar"]["1e-1"] < found["tar_interval"]["1e-1"][1]
    assert found["eer_interval"][0] < found["eer"] < found["eer_interval"][1]
    for far in ("1e-2", "1e-3", "1e-4", "1e-5", "1e-6"):
        assert found["tar"][far] is None
        assert found["reasons"][f"tar {far}"].startswith("120 impostor pairs of identities; 10 ÷ FAR = ")
    assert (found["n_genuine"], found["n_impostor"]) == (48, 1080)
    assert (found["n_identities"], found["n_impostor_identities"], found["intervals_by"]) == (16, 120, "identity")
    assert found["notes"] == []
    assert len(found["det"]) == 48


def test_without_identities_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_comparisons(tmp_path / "pairs.csv", identities=False)
    assert main(["score", "verification", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_identities"], found["intervals_by"]) == (None, "pair")
    assert found["tar"]["1e-2"] is not None
    assert found["tar"]["1e-3"] is None


def test_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_comparisons(tmp_path / "pairs.csv")
    assert main(["score", "verification", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("EER           0.1")
    assert " to " in lines[0]
    assert lines[2] == "TAR@FAR=1e-2  -  (120 impostor pairs of identities; 10 ÷ FAR = 1,000 are needed)"
    assert lines[-1] == "identities    16, 120 impostor pairs of them; intervals are by identity"


def test_distances_are_not_similarities(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("score,same\n" + "0.1,1\n" * 20 + "0.9,0\n" * 20)
    assert main(["score", "verification", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["eer"] == 1
    assert found["notes"][0].startswith("genuine pairs score lower than impostor pairs")


def test_a_bad_file_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "pairs.csv"
    file.write_text("score,same\n0.5,1\nNaN,0\n")
    assert main(["score", "verification", str(file), "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: {file}:3: score: 'NaN' is not a finite number\n"
