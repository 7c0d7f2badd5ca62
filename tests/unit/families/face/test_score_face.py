"""``penstock score face`` from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.face.drawn_vectors import save, turned, vectors

from penstock.cli.app import main


def test_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "face", str(save(tmp_path / "a.npz", vectors())), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n"], found["values"]) == (90, 32)
    assert found["verification"]["intervals_by"] == "identity"
    assert found["verification"]["tar"]["1e-3"] is None


def test_two_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [save(tmp_path / "a.npz", vectors()), save(tmp_path / "b.npz", turned(vectors()))]
    assert main(["score", "face", *map(str, files), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cross_version"]["tar"]["1e-1"] < 0.3 < 0.9 < found["candidate"]["verification"]["tar"]["1e-1"]
    assert main(["score", "face", *map(str, files)]) == 0
    assert "cosine of one image in both" in capsys.readouterr().out


def test_vectors_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.npy"
    np.save(path, vectors())
    assert main(["score", "face", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("there is no array 'identities'")


def test_a_bad_file_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"no")
    assert main(["score", "face", str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: this is not a file of vectors")
