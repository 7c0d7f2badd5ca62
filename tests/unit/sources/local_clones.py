"""Clones of a repository on this machine."""

from __future__ import annotations

from pathlib import Path

from penstock.sources.git import Clone, clone


def local(repository: Path, revision: str, target: Path, **options: bool | int | str) -> Clone:
    return clone(str(repository), revision, target, allow_local=True, **options)  # type: ignore[arg-type]


def nothing_left(target: Path) -> bool:
    return not target.exists() and not [path for path in target.parent.iterdir() if ".clone-" in path.name]
