"""What a repository on this machine says of itself without a clone: its model's name, changes that are not committed.

Nothing of the repository's configuration runs: hooks, monitors and filters are switched off.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from penstock.foundation.errors import PenstockError
from penstock.sources.program import Finished, run

TIMEOUT_S = 20.0
MAX_CONTRACT_BYTES = 1 << 20
OFF = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "safe.directory=*")
LFS_CLEAN = "git-lfs clean -- %f"
_NAME = re.compile(r"^name:[ \t]*[\"']?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)[\"']?[ \t]*(#.*)?$", re.MULTILINE)
_DRIVER = re.compile(r"^filter\.([A-Za-z0-9._-]+)\.[a-z]+$")


def model_name(repository: Path, revision: str, contract: str) -> str:
    """The ``name`` in the contract at a revision; empty if that cannot be told.

    Args:
        repository: bare or with a work tree.
        revision: branch, tag or commit.
        contract: the contract's path.
    """
    if revision.startswith("-"):
        return ""
    found = _git(repository, "cat-file", "blob", f"{revision}:{contract}")
    if found is None or found.code or len(found.output) > MAX_CONTRACT_BYTES:
        return ""
    match = _NAME.search(found.output.decode("utf-8", "replace"))
    return match[1] if match else ""


def uncommitted(repository: Path) -> list[str]:
    """Paths of files under git with changes that are not committed; none if the repository is bare, or cannot tell."""
    inside = _git(repository, "rev-parse", "--is-inside-work-tree")
    if inside is None or inside.output.strip() != b"true":
        return []
    filters = _git(repository, "config", "--name-only", "--get-regexp", r"^filter\.")
    if filters is None:
        return []
    settings: list[str] = []
    for key in filters.output.decode("utf-8", "replace").splitlines():
        driver = _DRIVER.match(key)
        if driver is None:
            return []  # a name that cannot be switched off safely
        clean = LFS_CLEAN if driver[1] == "lfs" else ""
        settings += [f"filter.{driver[1]}.{part}" for part in (f"clean={clean}", "process=", "required=false")]
    listed = _git(repository, "status", "--porcelain=v1", "-z", "--untracked-files=no", settings=settings)
    if listed is None or listed.code:
        return []
    return [entry[3:] for entry in listed.output.decode("utf-8", "replace").split("\0") if entry[2:3] == " "]


def _git(repository: Path, *arguments: str, settings: list[str] | None = None) -> Finished | None:
    given = [part for setting in (*OFF, *(settings or [])) for part in ("-c", setting)]
    env = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    env |= {"LC_ALL": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    env |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "HOME": os.devnull}
    try:
        return run(["git", *given, *arguments], cwd=repository, env=env, timeout_s=TIMEOUT_S)
    except (OSError, PenstockError):
        return None
