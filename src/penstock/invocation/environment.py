"""The Python that a local model runs on: which environment that is, and what of it the model may read.

An environment is looked at, never run: what names it may come from the repository, and nothing of that runs unconfined.
So its files have to say what it is: ``pyvenv.cfg`` of a virtual environment, ``conda-meta`` of conda, or the standard
library of an installation.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from penstock.foundation.errors import UsageError
from penstock.foundation.files import sha256_json

Kind = Literal["venv", "conda", "installation"]
SYSTEM = Path("/usr")
OWN_PYTHON = "Penstock's own, for want of another"
MAX_LINKS = 20


@dataclass(frozen=True)
class PythonEnvironment:
    """One environment. Programs of its ``bin`` come first on the model's path."""

    prefix: Path
    kind: Kind
    installations: tuple[Path, ...]
    """Where the interpreter and its standard library are, if not in ``prefix``; each as it is named, and resolved."""
    chosen: str
    """What named it, in words for the log."""

    def __str__(self) -> str:
        return f"{self.prefix} ({self.chosen})"

    @property
    def programs(self) -> Path:
        return self.prefix / "bin"

    def readable(self) -> list[str]:
        """What the model has to be able to read."""
        paths = {self.prefix, self.prefix.resolve(), *self.installations}
        return sorted(str(path) for path in paths if path != SYSTEM)

    def variables(self) -> dict[str, str]:
        """What activating it sets, and what keeps its tools from the network and from writing to it."""
        if self.kind == "conda":
            return {
                "CONDA_PREFIX": str(self.prefix),
                "CONDA_DEFAULT_ENV": str(self.prefix),
                "CONDA_SHLVL": "1",
                # `conda run -n NAME` looks there, and not below the model's new home directory
                "CONDA_ENVS_PATH": str(self.prefix.parent),
                "CONDA_OFFLINE": "true",
                "CONDA_REPORT_ERRORS": "false",
                "CONDA_AUTO_UPDATE_CONDA": "false",
            }
        if self.kind == "venv":
            return {
                "VIRTUAL_ENV": str(self.prefix),
                # uv takes it for the project's, which need not have one where it was cloned
                "UV_PROJECT_ENVIRONMENT": str(self.prefix),
                "UV_NO_SYNC": "1",
                "UV_OFFLINE": "1",
                "UV_PYTHON_DOWNLOADS": "never",
            }
        return {}

    def digest(self) -> str:
        """Changes with the interpreter and with the packages that are installed, by name and version."""
        packages = sorted(
            path.name
            for pattern in ("lib/python3*/site-packages/*.dist-info", "conda-meta/*.json")
            for path in self.prefix.glob(pattern)
        )
        return sha256_json([str(self.prefix), str((self.programs / "python").resolve()), packages])


def own_environment() -> PythonEnvironment:
    """The one that Penstock itself runs in."""
    installations = {Path(sys.base_prefix), Path(sys.base_prefix).resolve(), Path(sys.executable).resolve().parents[1]}
    kind: Kind = "venv" if sys.prefix != sys.base_prefix else "installation"
    return PythonEnvironment(Path(sys.prefix), kind, tuple(sorted(installations)), OWN_PYTHON)


def environment_at(path: Path, chosen: str) -> PythonEnvironment:
    """The environment in a directory, or that of an interpreter.

    Args:
        path: absolute.
        chosen: what named it.

    Raises:
        UsageError: there is none, or letting a model read it would let it read far more.
    """
    path = Path(os.path.normpath(path))
    prefix = path.parent.parent if path.is_file() else path
    python = next((found for name in ("python", "python3") if (found := prefix / "bin" / name).exists()), None)
    if python is None or (path.is_file() and path.parent != python.parent):
        raise UsageError(
            "there is no Python environment",
            where=f"{chosen}: {path}",
            todo="Name its directory (which holds bin/python), or its interpreter.",
        )
    installations = _installations(python, prefix, chosen)
    kind: Kind = "installation"
    if (prefix / "pyvenv.cfg").is_file():
        kind = "venv"
    elif (prefix / "conda-meta").is_dir():
        kind = "conda"
    elif not _holds_library(prefix):
        raise UsageError(
            "this directory is no Python environment",
            where=f"{chosen}: {prefix}",
            todo="One has pyvenv.cfg, conda-meta, or a standard library.",
        )
    return PythonEnvironment(prefix, kind, installations, chosen)


def _installations(python: Path, prefix: Path, chosen: str) -> tuple[Path, ...]:
    """The directories that the links from ``python`` lead to, each with a standard library."""
    found: set[Path] = set()
    link = python
    for _ in range(MAX_LINKS):
        if not link.is_symlink():
            break
        link = Path(os.path.normpath(link.parent / link.readlink()))
        if link.parent != python.parent:
            found |= {link.parent.parent, link.parent.parent.resolve()}
    found.add(python.resolve().parent.parent)
    for place in (prefix, prefix.resolve(), *found):
        if place == Path("/") or Path.home().resolve().is_relative_to(place):
            raise UsageError(
                "a model that may read this environment may read your home directory",
                where=f"{chosen}: {place}",
                todo="Name another one.",
            )
    if not all(map(_holds_library, found)):
        raise UsageError(
            "its bin/python leads to no Python installation: a script in its place cannot be used",
            where=f"{chosen}: {python}",
            todo="Name the environment's directory.",
        )
    return tuple(sorted(found - {prefix}))


def _holds_library(prefix: Path) -> bool:
    return any(prefix.glob("lib*/python3*/os.py"))


def choose_environment(
    *, option: str = "", contract: str | None = None, found: str = "", repository: Path
) -> PythonEnvironment:
    """The environment for a local model: what the user says, else the contract, else what was found, else our own.

    Args:
        option: ``--python``.
        contract: ``call.python``; relative to ``repository``.
        found: the environment that was active where ``penstock run`` was typed, or the repository's ``.venv``.
        repository: the model's repository on this machine.

    Raises:
        UsageError: what is named is no environment.
    """
    if option:
        return environment_at(Path(option), "--python")
    if contract:
        return environment_at(repository / Path(contract).expanduser(), "call.python")
    if found:
        beside = Path(found) == repository / ".venv"
        return environment_at(Path(found), "the repository's .venv" if beside else "the active environment")
    return own_environment()


def named_by_shell(repository: Path | None) -> str:
    """The environment that is active in this shell, else the ``.venv`` of the repository; empty if there is neither.

    One that Penstock itself runs in does not count: it was activated for Penstock.
    """
    places = [os.environ.get("VIRTUAL_ENV"), os.environ.get("CONDA_PREFIX")]
    if repository is not None:
        places.append(str(repository / ".venv"))
    for place in places:
        python = Path(place or "/", "bin", "python")
        if place and python.exists() and Path(place).resolve() != Path(sys.prefix).resolve():
            return str(Path(place).absolute())
    return ""


def program_of_user(name: str, path: str) -> tuple[str, list[str]]:
    """A program by the name that a contract calls it: one of the model's own path, else one of the user's (uv, conda).

    Args:
        name: the first word of ``argv``.
        path: the model's own ``PATH``.

    Returns:
        the name, or the program's path if only the user has it; and what the model has to be able to read for it.
    """
    if os.sep in name or shutil.which(name, path=path) is not None:
        return name, []
    program = shutil.which(name)
    if program is None:
        return name, []
    home = Path(program).resolve().parent.parent
    readable = [program, str(Path(program).resolve())]
    if (home / "pyvenv.cfg").is_file() or (home / "conda-meta").is_dir():
        readable += environment_at(home, name).readable()
    return program, readable
