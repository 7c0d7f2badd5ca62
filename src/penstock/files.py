"""Files that are whole or absent, digests, and paths that stay where they belong."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from penstock.errors import UsageError, WorldError

CHUNK_BYTES = 1 << 20


@contextlib.contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidden disk into one clear :class:`WorldError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise WorldError(
                "no space is left on the disk",
                where=str(where),
                todo="Free space, or use a larger volume, and run it again.",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            reason = os.strerror(error.errno).lower()
            raise WorldError(
                f"cannot write: {reason}", where=str(where), todo="Choose a writable directory."
            ) from error
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; on success it is synced and renamed to ``path``, else removed.

    Readers see the old file or the whole new one, never a half of it.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.tmp-", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write ``text`` (UTF-8) whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON, whole or not at all. NaN is refused: it is not JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's content, as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form (sorted keys, no spaces): equal values, equal digests."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def open_regular(path: Path, *, where: str) -> BinaryIO:
    """Open a regular file for reading. A FIFO, device, socket or directory in its place is refused, never waited for.

    Raises:
        UsageError: there is no such file, it is no regular file, or it cannot be read; ``where`` is put before that.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise UsageError("the file is missing", where=where) from None
    except OSError as error:
        # A socket cannot be opened at all (ENXIO), nor a path through a file (ENOTDIR), nor a name too long.
        reason = (
            "not a regular file"
            if error.errno == errno.ENXIO
            else f"cannot be read: {os.strerror(error.errno or 0).lower()}"
        )
        raise UsageError(reason, where=where) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UsageError("this is a directory, not a file" if stat.S_ISDIR(mode) else "not a regular file", where=where)
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, *, max_bytes: int, where: str) -> bytes:
    """The content of a regular file of at most ``max_bytes``; see :func:`open_regular`."""
    with open_regular(path, where=where) as file:
        content = file.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise UsageError(f"the file is larger than {max_bytes >> 20} MiB", where=where)
    return content


def regular_files(directory: Path) -> list[Path]:
    """All regular files below ``directory``, sorted, as relative paths. Symbolic links are refused: they may leave."""
    found: list[Path] = []
    for folder, folders, names in os.walk(directory):
        for name in sorted(folders + names):
            path = Path(folder) / name
            if path.is_symlink():
                raise UsageError(
                    f"'{path.relative_to(directory)}' is a symbolic link",
                    where=str(directory),
                    todo="Keep plain files only.",
                )
        found += [Path(folder, name).relative_to(directory) for name in names]
    return sorted(found)


def sha256_tree(directory: Path) -> str:
    """SHA-256 over the sorted (relative path, content digest) pairs of a directory's regular files."""
    return sha256_json([[path.as_posix(), sha256_file(directory / path)] for path in regular_files(directory)])


def inside(root: Path, relative: str, *, where: str) -> Path:
    """Resolve ``relative`` below ``root`` and prove that it stays there (no absolute path, no ``..``, no symlink out).

    Raises:
        UsageError: the path leaves ``root``; ``where`` names the field that held it.
    """
    if not relative or "\x00" in relative:
        raise UsageError("the path is empty or contains a NUL byte", where=where)
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise UsageError(
            f"the path '{relative}' leaves the repository", where=where, todo="Use a relative path without '..'."
        )
    resolved_root = root.resolve()
    try:
        resolved = (resolved_root / relative).resolve()
    except RuntimeError:  # Python 3.11's way to report a loop
        raise UsageError(
            f"the path '{relative}' is a loop of symbolic links", where=where, todo="Commit the file itself."
        ) from None
    if not resolved.is_relative_to(resolved_root):
        raise UsageError(
            f"the path '{relative}' leaves the repository through a symbolic link",
            where=where,
            todo="Commit the file itself.",
        )
    return resolved
