"""The Python that a local model runs on: which it is, what the model may read of it, and that it works in the cage."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from penstock.invocation.environment import (
    environment_at,
    own_environment,
    program_of_user,
)
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess
from penstock.invocation.sandbox import Sandbox


def run(tmp_path: Path, box: Sandbox, *argv: str) -> str:
    """What the model wrote."""
    with BoundedLog(tmp_path / "log") as log, ModelProcess(list(argv), box, log) as process:
        ended = process.wait(30.0)
        said = log.end()
    assert ended is not None
    assert ended.code == 0, said
    return said


@pytest.mark.parametrize("level", ["landlock", "namespaces"])
def test_model_runs_in_the_environment_that_is_named(tmp_path: Path, made: Path, level: str) -> None:
    (tmp_path / "source").mkdir()
    box = Sandbox(
        source=tmp_path / "source",
        scratch=tmp_path / "scratch",
        python=environment_at(made, "--python"),
        level=level,  # type: ignore[arg-type]
    )
    text = "import os, sys, their_torch; print(sys.prefix, their_torch.__file__, os.environ['VIRTUAL_ENV'])"
    prefix, package, active = run(tmp_path, box, "python", "-c", text).split()
    assert prefix == active == str(made)
    assert package.startswith(f"{made}/")
    assert run(tmp_path, box, "serve") == "serving 9"
    refused = "import sys\ntry: open(sys.prefix + '/x', 'w')\nexcept OSError: print('refused')"
    assert run(tmp_path, box, "python3", "-c", refused) == "refused"


def test_chain_of_links_is_readable(tmp_path: Path, made: Path) -> None:
    """As uv links: to a directory with a short name, which is a link itself."""
    base = own_environment().installations[0]
    short = tmp_path / "cpython-3.11"
    short.symlink_to(base)
    for link in (made / "bin").glob("python*"):
        link.unlink()
    (made / "bin" / "python").symlink_to(short / "bin" / "python3")
    found = environment_at(made, "x")
    assert {str(short), str(base.resolve())} <= set(found.readable())
    (tmp_path / "source").mkdir()
    box = Sandbox(source=tmp_path / "source", scratch=tmp_path / "scratch", python=found)
    assert run(tmp_path, box, "python", "-c", "import their_torch; print(their_torch.VERSION)") == "9"


def test_program_that_only_the_user_has(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As uv is installed: somewhere on the path of the user; as pipx does: a link into an environment of its own."""
    folder = tmp_path / "programs"
    folder.mkdir()
    tool = folder / "tool"
    tool.write_text("#!/bin/sh\nexec python -c 'import sys; print(sys.prefix)'\n", encoding="utf-8")
    tool.chmod(0o755)
    (folder / "serve").symlink_to(made / "bin" / "serve")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    (tmp_path / "source").mkdir()
    box = Sandbox(source=tmp_path / "source", scratch=tmp_path / "scratch", python=environment_at(made, "x"))
    assert run(tmp_path, box, "tool") == str(made)
    box = Sandbox(source=tmp_path / "source", scratch=tmp_path / "scratch")
    assert run(tmp_path, box, "serve") == "serving 9"
    assert program_of_user("python3", "/usr/bin") == ("python3", [])
    assert program_of_user("no-such", "/usr/bin") == ("no-such", [])


def test_uv_is_told_to_stay_offline_and_to_write_nothing(made: Path) -> None:
    variables = environment_at(made, "x").variables()
    assert variables["UV_PROJECT_ENVIRONMENT"] == variables["VIRTUAL_ENV"] == str(made)
    assert (variables["UV_NO_SYNC"], variables["UV_OFFLINE"]) == ("1", "1")


def test_option_is_checked_before_anything_runs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "penstock.cli.app", "run", "verify", "--repo", ".", "--revision", "x"]
    command += ["--python", "nowhere", "--out", str(tmp_path / "out")]
    script = "import sys; from penstock.cli.app import main; sys.argv = sys.argv[1:]; sys.exit(main())"
    command = [sys.executable, "-c", textwrap.dedent(script), *command[2:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert "--python" in done.stderr
    assert "there is no Python environment" in done.stderr
    assert not (tmp_path / "out" / "runs").exists() or not list((tmp_path / "out" / "runs").iterdir())
