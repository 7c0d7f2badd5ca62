"""Signatures of weights, written by us and read by OpenSSF's own program, and the other way round."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.unit.releases.signing_keys import key_pair

from penstock.cli.app import main

PROGRAM = Path(os.environ.get("PENSTOCK_MODEL_SIGNING", "none")) / "bin" / "model_signing"


@pytest.fixture(autouse=True)
def _there() -> None:
    assert PROGRAM.is_file(), "no model_signing: `make model-signing`"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "sub" / ".git").mkdir(parents=True)
    for name in ("a.bin", "a-b", "sub/größe.bin", ".gitattributes", ".hidden", "sub/.git/x"):
        (folder / name).write_text(name)
    return folder


def theirs(action: str, model: Path, signature: Path, *key: str) -> int:
    argv = [PROGRAM, action, "key", str(model), "--signature", str(signature), *key]
    return subprocess.run(argv, check=False, timeout=60, capture_output=True).returncode


@pytest.mark.parametrize("what", ["model", "model/a.bin"])
@pytest.mark.parametrize("place", ["s.sig", "model/s.sig"])
def test_ours_read_by_theirs(tmp_path: Path, model: Path, what: str, place: str) -> None:
    private, public = key_pair(tmp_path / "keys")
    signed, signature = tmp_path / what, tmp_path / place
    assert main(["weights", "sign", str(signed), "--key", str(private), "--signature", str(signature)]) == 0
    assert theirs("verify", signed, signature, "--public_key", str(public)) == 0
    other = key_pair(tmp_path / "other")[1]
    assert theirs("verify", signed, signature, "--public_key", str(other)) != 0
    (model / "a.bin").write_text("changed")
    assert theirs("verify", signed, signature, "--public_key", str(public)) != 0


@pytest.mark.parametrize("what", ["model", "model/a.bin"])
@pytest.mark.parametrize("place", ["s.sig", "model/s.sig"])
def test_theirs_read_by_ours(tmp_path: Path, model: Path, what: str, place: str) -> None:
    private, public = key_pair(tmp_path / "keys")
    signed, signature = tmp_path / what, tmp_path / place
    assert theirs("sign", signed, signature, "--private_key", str(private)) == 0
    ours = ["weights", "verify", str(signed), "--signature", str(signature), "--key"]
    assert main([*ours, str(public)]) == 0
    assert main([*ours, str(key_pair(tmp_path / "other")[1])]) == 1
    (model / "a.bin").write_text("changed")
    assert main([*ours, str(public)]) == 1
