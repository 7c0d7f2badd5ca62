"""``penstock init``: a contract that holds, and nothing overwritten."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tests.unit.cli.contract_commands import PNG, WAV, app, init, runner

from penstock.foundation.errors import UsageError


def test_from_nothing_to_a_good_contract(tmp_path: Path) -> None:
    root = tmp_path / "my-model"
    assert "wrote" in init(root)
    result = runner.invoke(app, ["check", str(root)])
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[-1] == "4 faults and 3 warnings"
    # What is missing is missing files and the digest, each with what to do. One case is too few for a margin.
    faults = [line for line in lines[:-1] if not line.endswith("(warning)")]
    assert all("missing" in line or "there is no file" in line or "sha256sum" in line for line in faults)

    (root / "weights").mkdir()
    (root / "weights/model.onnx").write_bytes(b"weights")
    contract = (root / "penstock.yaml").read_text()
    (root / "penstock.yaml").write_text(contract.replace("0" * 64, hashlib.sha256(b"weights").hexdigest()))
    (root / "Containerfile").write_text("FROM scratch\n")
    (root / "suite/portrait-01.png").write_bytes(PNG)
    (root / "suite/speech-01.wav").write_bytes(WAV)
    result = runner.invoke(app, ["check", str(root)])
    assert result.exit_code == 0
    *warnings, last = result.stdout.splitlines()
    assert last == "ok: my-model (talking-head): 1 case, 1 file of weights, 3 rules and 2 warnings"
    assert all("one case cannot tell a change of" in line and line.endswith("(warning)") for line in warnings)


def test_init_never_overwrites_unless_forced(tmp_path: Path) -> None:
    init(tmp_path)
    (tmp_path / "penstock.yaml").write_text("mine")
    (tmp_path / "suite/suite.yaml").unlink()
    with pytest.raises(UsageError, match=r"is there already. Nothing was written. --force overwrites"):
        runner.invoke(app, ["init", str(tmp_path)], catch_exceptions=False)
    assert (tmp_path / "penstock.yaml").read_text() == "mine"
    assert not (tmp_path / "suite/suite.yaml").exists()
    init(tmp_path, "--force")
    assert "version: 1" in (tmp_path / "penstock.yaml").read_text()


def test_init_of_an_unknown_family_or_into_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no family 'sketch'. Known: talking-head, matting."):
        runner.invoke(app, ["init", "--family", "sketch", str(tmp_path)], catch_exceptions=False)
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(UsageError, match="not a directory"):
            runner.invoke(app, ["init", str(tmp_path / place)], catch_exceptions=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
