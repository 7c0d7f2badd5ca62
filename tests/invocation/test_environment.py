"""The Python that a local model runs on: which it is, what the model may read of it, and that it works in the cage."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.invocation.environment import (
    OWN_PYTHON,
    choose_environment,
    environment_at,
    named_by_shell,
    own_environment,
    program_of_user,
)
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess
from penstock.invocation.sandbox import Sandbox


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A virtual environment with a package of its own, and a program."""
    prefix = tmp_path / "user" / "env"
    venv.create(prefix, symlinks=True, with_pip=False)
    (packages,) = prefix.glob("lib/python3*/site-packages")
    (packages / "their_torch.py").write_text("VERSION = '9'", encoding="utf-8")
    (packages / "their_torch-9.dist-info").mkdir()
    program = prefix / "bin" / "serve"
    program.write_text(f"#!{prefix}/bin/python\nimport their_torch\nprint('serving', their_torch.VERSION)\n")
    program.chmod(0o755)
    return prefix


def run(tmp_path: Path, box: Sandbox, *argv: str) -> str:
    """What the model wrote."""
    with BoundedLog(tmp_path / "log") as log, ModelProcess(list(argv), box, log) as process:
        ended = process.wait(30.0)
        said = log.end()
    assert ended is not None
    assert ended.code == 0, said
    return said


def conda(folder: Path) -> Path:
    """A directory that looks as conda makes them: the interpreter and its library are in it."""
    prefix = folder / "conda" / "envs" / "talk"
    for name in ("bin", "lib/python3.11", "conda-meta"):
        (prefix / name).mkdir(parents=True)
    (prefix / "lib" / "python3.11" / "os.py").touch()
    (prefix / "bin" / "python3.11").write_bytes(b"")
    (prefix / "bin" / "python").symlink_to("python3.11")
    (prefix / "conda-meta" / "pytorch-2.5.json").touch()
    return prefix


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


def test_who_names_it(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other, repository = conda(tmp_path), tmp_path / "repository"
    (repository / ".venv").parent.mkdir()
    (repository / ".venv").symlink_to(made)
    option = choose_environment(option=str(made), contract=str(other), found=str(other), repository=repository)
    assert (option.prefix, option.chosen) == (made, "--python")
    contract = choose_environment(contract=".venv", found=str(other), repository=repository)
    assert (contract.prefix, contract.chosen) == (repository / ".venv", "call.python")
    assert str(made) in contract.readable()
    assert choose_environment(found=str(other), repository=repository).prefix == other
    assert choose_environment(repository=repository).chosen == OWN_PYTHON

    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    assert named_by_shell(repository) == str(repository / ".venv")
    assert named_by_shell(None) == named_by_shell(tmp_path) == ""
    monkeypatch.setenv("CONDA_PREFIX", str(other))
    assert named_by_shell(repository) == str(other)
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)  # activated for Penstock
    assert named_by_shell(repository) == str(other)
    monkeypatch.setenv("VIRTUAL_ENV", str(made))
    assert named_by_shell(repository) == str(made)


def test_an_interpreter_may_be_named_by_any_path(made: Path) -> None:
    for name in (
        made / "bin" / "python",
        made / "lib" / ".." / "bin" / "python",
        made / "bin" / ".." / ".." / made.name,
    ):
        assert environment_at(name, "--python").prefix == made


def test_conda_and_installations(tmp_path: Path) -> None:
    prefix = conda(tmp_path)
    found = environment_at(prefix, "x")
    assert (found.kind, found.readable()) == ("conda", [str(prefix)])
    assert environment_at(prefix / "bin" / "python", "x") == found
    variables = found.variables()
    assert variables["CONDA_PREFIX"] == str(prefix)
    assert variables["CONDA_ENVS_PATH"] == str(prefix.parent)
    first = found.digest()
    (prefix / "conda-meta" / "pytorch-2.6.json").touch()
    assert found.digest() != first
    assert environment_at(Path("/usr/bin/python3"), "x").readable() == []


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


def test_what_is_no_environment(tmp_path: Path, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "user"
    (home / ".ssh").mkdir()
    with pytest.raises(UsageError, match="there is no Python environment"):
        environment_at(home / ".ssh", "call.python")
    monkeypatch.setenv("HOME", str(made))
    with pytest.raises(UsageError, match="may read your home directory"):
        environment_at(made, "call.python")
    monkeypatch.setenv("HOME", str(home))
    # a repository's own: its bin/python leads to a script below the user's home
    (home / "bin").mkdir()
    (home / "bin" / "python").write_text("#!/bin/sh\n", encoding="utf-8")
    hostile = tmp_path / "source" / ".venv"
    (hostile / "bin").mkdir(parents=True)
    (hostile / "pyvenv.cfg").touch()
    (hostile / "bin" / "python").symlink_to(home / "bin" / "python")
    with pytest.raises(UsageError, match="may read your home directory"):
        environment_at(hostile, "call.python")
    monkeypatch.setenv("HOME", "/nowhere")
    with pytest.raises(UsageError, match="leads to no Python installation"):
        environment_at(hostile, "call.python")


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
