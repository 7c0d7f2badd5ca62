"""The checked-out files: their digest, their links, and which of them are still Git LFS pointers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from penstock.errors import UsageError
from penstock.files import sha256_file, sha256_json

LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
MAX_POINTER_BYTES = 1024


def tree_entries(root: Path) -> Iterator[Path]:
    """Regular files and symbolic links below ``root``, as relative paths; ``.git`` is left out everywhere."""
    for folder, folders, names in os.walk(root):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = sorted(name for name in folders if name != ".git" and name not in links)
        for name in sorted([*names, *links]):
            if name != ".git":
                yield Path(folder, name).relative_to(root)


def tree_digest(root: Path) -> str:
    """SHA-256 over the checked-out files: as :func:`penstock.files.sha256_tree`, links counted by their target's text.

    Raises:
        UsageError: a link leaves the repository, or a file is neither regular nor a link.
    """
    resolved = root.resolve()
    entries: list[list[str]] = []
    for path in sorted(tree_entries(root)):
        full = root / path
        if full.is_symlink():
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
        elif full.is_file():
            entries.append([path.as_posix(), sha256_file(full)])
        else:
            raise UsageError(f"'{path}' is neither a file nor a link", where=str(root))
    return sha256_json(entries)


def is_pointer(path: Path) -> bool:
    """Whether a file is a Git LFS pointer in place of the content."""
    if path.is_symlink() or path.stat().st_size > MAX_POINTER_BYTES:
        return False
    with path.open("rb") as file:
        return file.read(len(LFS_POINTER)) == LFS_POINTER


def pointer_oid(path: Path) -> str:
    """The SHA-256 that a Git LFS pointer names; empty if the file is none, or a broken one."""
    if not is_pointer(path):
        return ""
    found = re.search(rb"^oid sha256:([0-9a-f]{64})$", path.read_bytes(), re.MULTILINE)
    return found[1].decode() if found else ""


def lfs_pointers(root: Path) -> tuple[str, ...]:
    """Paths of all Git LFS pointers below ``root``."""
    return tuple(path.as_posix() for path in tree_entries(root) if is_pointer(root / path))
