"""``penstock init``, ``check`` and ``schema`` as a newcomer meets them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from penstock.cli.check import check
from penstock.cli.init import init as init_command
from penstock.cli.schema import schema
from penstock.errors import UsageError

runner = CliRunner()
app = typer.Typer()
for command in (init_command, check, schema):
    app.command()(command)
PNG = b"\x89PNG\r\n\x1a\n and so on"
WAV = b"RIFF\x24\0\0\0WAVEfmt "


def init(directory: Path, *more: str) -> str:
    result = runner.invoke(app, ["init", "--family", "talking-head", str(directory), *more], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_from_nothing_to_a_good_contract(tmp_path: Path) -> None:
    root = tmp_path / "my-model"
    assert "wrote" in init(root)
    result = runner.invoke(app, ["check", str(root)])
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[-1] == "5 faults"
    # What is missing is missing files and the digest, each with what to do.
    assert all("missing" in line or "there is no file" in line or "sha256sum" in line for line in lines[:-1])

    (root / "weights").mkdir()
    (root / "weights/model.onnx").write_bytes(b"weights")
    contract = (root / "penstock.yaml").read_text()
    (root / "penstock.yaml").write_text(contract.replace("0" * 64, hashlib.sha256(b"weights").hexdigest()))
    (root / "Containerfile").write_text("FROM scratch\n")
    (root / "suite/portrait-01.png").write_bytes(PNG)
    (root / "suite/speech-01.wav").write_bytes(WAV)
    result = runner.invoke(app, ["check", str(root)])
    assert (result.exit_code, result.stdout) == (0, "ok: my-model (talking-head): 1 case, 1 file of weights, 3 rules\n")


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
    with pytest.raises(UsageError, match=r"there is no family 'matting'. Known: talking-head."):
        runner.invoke(app, ["init", "--family", "matting", str(tmp_path)], catch_exceptions=False)
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(UsageError, match="not a directory"):
            runner.invoke(app, ["init", str(tmp_path / place)], catch_exceptions=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_check_as_json(tmp_path: Path) -> None:
    init(tmp_path)
    result = runner.invoke(app, ["check", str(tmp_path), "--json"])
    content = json.loads(result.stdout)
    assert result.exit_code == 2
    assert content["ok"] is False
    assert content["cases"] == 1
    assert {"file", "line", "column", "field", "what", "todo", "severity"} == set(content["faults"][0])


def test_check_of_no_repository(tmp_path: Path) -> None:
    result = runner.invoke(app, ["check", str(tmp_path)])
    assert result.exit_code == 2
    assert (
        result.stdout.splitlines()[0]
        == "penstock.yaml:1: the file is missing. `penstock init` writes one to start from."
    )
    result = runner.invoke(app, ["check", str(tmp_path / "none")])
    assert result.exit_code == 2
    assert "not a directory" in result.stdout


def test_schema(tmp_path: Path) -> None:
    titles = []
    for option in ([], ["--suite"], ["--policy"]):
        result = runner.invoke(app, ["schema", *option])
        content = json.loads(result.stdout)
        Draft202012Validator.check_schema(content)
        titles.append(content["title"])
    assert titles == ["penstock.yaml", "suite.yaml", "policy"]
    assert isinstance(runner.invoke(app, ["schema", "--suite", "--policy"]).exception, UsageError)


def test_check_loads_nothing_heavy(tmp_path: Path) -> None:
    init(tmp_path)
    # typer.Exit is a RuntimeError
    code = """
import sys
from pathlib import Path
from penstock.cli import gate, init, schema
from penstock.cli.check import check
try:
    check(Path(sys.argv[1]))
except RuntimeError:
    print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "penstock.contract.check" in loaded
    assert not loaded & {"numpy", "cv2", "av", "scipy", "onnxruntime", "boto3", "httpx", "jinja2", "torch", "rich"}
