"""The checked-out files: their digest, their links, and which of them are still Git LFS pointers."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.foundation.files import folder_errors, open_inside, sha256_json, sha256_of
from penstock.foundation.handles import Folder, kind_of

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
MAX_POINTER_BYTES = 1024


def tree_entries(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything below ``root`` but folders, as relative path and facts; ``.git`` is left out everywhere.

    Raises:
        UsageError: a folder may not be read, or folders are nested too deep.
    """
    with folder_errors(root), Folder.at(root) as folder:
        for relative, facts in folder.walk(skip=frozenset({".git"})):
            yield Path(relative), facts


def tree_digest(root: Path) -> str:
    """SHA-256 over the checked-out files, as :func:`~penstock.foundation.files.sha256_tree`.

    A link counts by its target.

    Raises:
        UsageError: a link leaves the repository, or a file is neither regular nor a link.
    """
    resolved = root.resolve()
    entries: list[list[str]] = []
    for path, facts in sorted(tree_entries(root), key=lambda entry: entry[0]):
        full = root / path
        if stat.S_ISLNK(facts.st_mode):
            target = str(full.readlink())
            inside = Path(os.path.realpath(full))
            if (
                Path(target).is_absolute()
                or not inside.is_relative_to(resolved)
                or ".git" in inside.relative_to(resolved).parts
            ):
                raise UsageError(
                    f"the symbolic link '{path}' leaves the repository",
                    where=target[:200],
                    todo="Commit the file itself.",
                )
            entries.append([path.as_posix(), "link", sha256_json(target)])
        elif stat.S_ISREG(facts.st_mode):
            with open_inside(resolved / path, where=str(full)) as file:
                entries.append([path.as_posix(), sha256_of(file)])
        else:
            raise UsageError(f"'{path}' is {kind_of(facts.st_mode)}, neither a file nor a link", where=str(root))
    return sha256_json(entries)


def is_pointer(path: Path) -> bool:
    """Whether a file is a Git LFS pointer in place of the content."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_POINTER_BYTES:
        return False
    with path.open("rb") as file:
        return file.read(len(LFS_POINTER)) == LFS_POINTER


def pointer_oid(path: Path) -> str:
    """The SHA-256 that a Git LFS pointer names; empty if the file is not one, or a broken one."""
    if not is_pointer(path):
        return ""
    found = re.search(rb"^oid sha256:([0-9a-f]{64})$", path.read_bytes(), re.MULTILINE)
    return found[1].decode() if found else ""


def lfs_pointers(root: Path) -> tuple[str, ...]:
    """Paths of all Git LFS pointers below ``root``."""
    return tuple(
        path.as_posix() for path, facts in tree_entries(root) if stat.S_ISREG(facts.st_mode) and is_pointer(root / path)
    )
