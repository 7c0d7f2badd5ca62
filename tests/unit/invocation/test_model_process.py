"""One model process: its environment, how it ends, what cannot be started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.invocation.conftest import Run

from penstock.foundation.errors import WorldError
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess, describe_exit
from penstock.invocation.sandbox import Sandbox


@pytest.mark.slow
def test_environment_is_clean(run: Run, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, tmp_path: Path) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "KUBECONFIG", "GIT_ASKPASS", "MY_TOKEN", "PYTHONPATH"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    environment = {"MODE": "fast", "HOME": "/elsewhere", "PORT": "1", "LD_PRELOAD": "/nowhere.so"}
    box = Sandbox(source=sandbox.source, scratch=sandbox.scratch, environment=environment)
    _, log = run("import json, os; print(json.dumps(dict(os.environ)))", box, port=24_000)
    seen = json.loads(log.splitlines()[-1])
    assert "secret" not in seen.values()
    assert (seen["MODE"], seen["PORT"], seen["CUDA_VISIBLE_DEVICES"]) == ("fast", "24000", "0")
    assert seen["HOME"] == str(tmp_path / "scratch" / "home")
    assert seen["TMPDIR"] == str(tmp_path / "scratch" / "tmp")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("no-such-program", "cannot run 'no-such-program': No such file or directory"),
        ("/etc/passwd", "cannot run '/etc/passwd': Permission denied"),
        ("nul\0byte", r"embedded null"),
    ],
)
def test_program_that_cannot_be_run(tmp_path: Path, sandbox: Sandbox, program: str, message: str) -> None:
    with BoundedLog(tmp_path / "log") as log, pytest.raises(WorldError, match=message):
        ModelProcess([program], sandbox, log)


def test_directory_that_is_gone(tmp_path: Path) -> None:
    box = Sandbox(source=tmp_path / "gone", scratch=tmp_path / "scratch")
    with BoundedLog(tmp_path / "log") as log, pytest.raises(WorldError, match="cannot enter the directory"):
        ModelProcess(["python"], box, log)


def test_exit_is_described() -> None:
    assert describe_exit(3) == "exited with code 3"
    assert describe_exit(-11) == "exited with code -11 (SIGSEGV)"
    assert describe_exit(-99) == "exited with code -99"
