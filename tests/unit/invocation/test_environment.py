"""Which Python a model gets, and what is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.invocation.environment import (
    OWN_PYTHON,
    choose_environment,
    environment_at,
    named_by_shell,
)


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
