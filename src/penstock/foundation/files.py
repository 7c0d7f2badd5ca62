"""Files that are whole or absent, digests, and paths that stay where they belong."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO

from penstock.foundation.errors import MissingFileError, NoSpaceError, UsageError, WorldError
from penstock.foundation.handles import MAX_NAME_BYTES, Folder, NotPlainError, in_words, kind_of, open_plain

CHUNK_BYTES = 1 << 20


@contextlib.contextmanager
def disk_errors(where: Path) -> Iterator[None]:
    """Turn a full, read-only or forbidden disk into one clear :class:`WorldError`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise NoSpaceError(
                "no space is left on the disk",
                where=str(where),
                todo="Free space, or use a larger volume, and run it again.",
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            reason = os.strerror(error.errno).lower()
            raise WorldError(
                f"cannot write: {reason}", where=str(where), todo="Choose a writable directory."
            ) from error
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError("the name is too long for a file", where=str(where), todo="Use a shorter one.") from error
        raise


DEVICES = "/dev"


@contextlib.contextmanager
def replacing(path: Path, *, synced: bool = True) -> Iterator[Path]:
    """Yield a temporary name beside ``path``; on success it is synced and renamed to ``path``, else removed.

    Readers see the old file or the whole new one, never a half of it.

    Args:
        path: the file.
        synced: False: it is only renamed. That holds whatever is killed, but not if the machine itself goes down in the
            next seconds: for files of which there are thousands, and which can be made again.

    Raises:
        UsageError: it lies in ``/dev``: for root, a file would take the place of a device that all programs use.
    """
    if os.path.realpath(path.parent) == DEVICES:  # Path.resolve breaks on a symlink that leads to itself
        raise UsageError("this is no file that can be replaced", where=str(path), todo="Name another file.")
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        start = os.fsdecode(os.fsencode(path.name)[: MAX_NAME_BYTES - 40])  # a name may be as long as names can be
        handle, name = tempfile.mkstemp(prefix=f".{start}.tmp-", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            if synced:
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
    with path.open("rb") as file:
        return sha256_of(file)


def sha256_of(file: IO[bytes]) -> str:
    """SHA-256 of what is left in an open file."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form (sorted keys, no spaces): equal values, equal digests."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    # File names need not be UTF-8: Python holds their odd bytes as lone surrogates.
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def open_regular(path: Path, *, where: str, todo: str = "") -> BinaryIO:
    """Open a regular file for reading. A FIFO, device, socket or directory in its place is refused, never waited for.

    Raises:
        UsageError: there is no such file, it is no regular file, or it cannot be read; ``where`` is put before that,
            ``todo`` behind it.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MissingFileError("the file is missing", where=where, todo=todo) from None
    except ValueError:
        raise UsageError("this is not a path", where=where, todo=todo) from None  # a NUL in it
    except OSError as error:
        # A socket cannot be opened at all (ENXIO), nor a path through a file (ENOTDIR), nor a name too long.
        reason = (
            "not a regular file"
            if error.errno == errno.ENXIO
            else f"cannot be read: {os.strerror(error.errno or 0).lower()}"
        )
        raise UsageError(reason, where=where, todo=todo) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "this is a directory, not a file" if stat.S_ISDIR(mode) else "not a regular file"
        raise UsageError(what, where=where, todo=todo)
    return os.fdopen(descriptor, "rb")


def content_of(file: BinaryIO, size: int, *, where: str) -> bytes:
    """At most ``size`` bytes of an open file.

    Raises:
        UsageError: they cannot be read; ``where`` is put before that.
    """
    try:
        return file.read(size)
    except OSError as error:
        raise UsageError(f"cannot be read: {os.strerror(error.errno or 0).lower()}", where=where) from None


def read_regular(path: Path, *, max_bytes: int, where: str) -> bytes:
    """The content of a regular file of at most ``max_bytes``; see :func:`open_regular`."""
    with open_regular(path, where=where) as file:
        content = content_of(file, max_bytes + 1, where=where)
    if len(content) > max_bytes:
        raise UsageError(f"the file is larger than {max_bytes >> 20} MiB", where=where)
    return content


def regular_files(directory: Path) -> list[Path]:
    """All regular files below ``directory``, sorted, as relative paths; none if there is no such directory.

    Raises:
        UsageError: something else stands there (a link may lead elsewhere, a pipe is waited for), a folder may not be
            read, or a name is not UTF-8 text.
    """
    if not directory.is_dir():
        return []
    with folder_errors(directory), Folder.at(directory) as folder:
        return sorted(_plain(directory, relative, facts.st_mode) for relative, facts in folder.walk())


def sha256_tree(directory: Path) -> str:
    """SHA-256 over the sorted (relative path, content digest) pairs of a directory's regular files.

    Raises:
        UsageError: see :func:`regular_files`.
    """
    return sha256_json([[path.as_posix(), digest] for path, digest in file_digests(directory).items()])


def file_digests(directory: Path, *, aside: Collection[str] = ()) -> dict[Path, str]:
    """SHA-256 of every regular file below ``directory``, by its relative path, sorted; none without the directory.

    Args:
        directory: where.
        aside: files and folders right below it that do not count.

    Raises:
        UsageError: see :func:`regular_files`.
    """
    found: dict[Path, str] = {}
    if not directory.is_dir():
        return found
    with folder_errors(directory), Folder.at(directory) as folder:
        for relative, facts in folder.walk():
            path = _plain(directory, relative, facts.st_mode)
            if path.parts[0] not in aside:
                with folder.open(relative) as file:
                    found[path] = sha256_of(file)
    return dict(sorted(found.items()))


def _plain(directory: Path, relative: str, mode: int) -> Path:
    """Check that an entry is a regular file whose name can be written down."""
    if not stat.S_ISREG(mode):
        raise UsageError(f"'{relative}' is {kind_of(mode)}", where=str(directory), todo="Keep plain files only.")
    try:
        relative.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"the name '{relative}' is not UTF-8 text", where=str(directory), todo="Rename it.") from None
    return Path(relative)


@contextlib.contextmanager
def folder_errors(directory: Path) -> Iterator[None]:
    """Turn what is wrong with a directory's content into one clear :class:`UsageError`.

    It is not for what is written: see :func:`disk_errors`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE):
            raise
        inner = f"'{error.filename}': " if isinstance(error.filename, str) else ""
        raise UsageError(f"{inner}{in_words(error)}", where=str(directory), todo="Keep plain files only.") from None


def inside(root: Path, relative: str, *, where: str) -> Path:
    """The path ``relative`` below ``root``, checked to stay there: not absolute, no ``..``, no link on any part of it.

    While a program that may write there runs, open it with :func:`open_inside`.

    Raises:
        UsageError: the path leaves ``root``, has a link in it, or is longer than a path can be; ``where`` names the
            field that held it.
    """
    if not relative or "\x00" in relative:
        raise UsageError("the path is empty or contains a NUL byte", where=where)
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise UsageError(
            f"the path '{relative}' leaves the repository", where=where, todo="Use a relative path without '..'."
        )
    resolved = root.resolve()
    below = PurePosixPath(relative)
    try:
        with Folder.at(resolved) as folder:
            mode = folder.stat(below.as_posix()).st_mode if below.parts else stat.S_IFDIR
    except (FileNotFoundError, NotADirectoryError):
        return resolved / below
    except NotPlainError as error:
        todo = "Commit the file itself." if "symbolic link" in in_words(error) else "Correct the path."
        raise UsageError(f"the path '{relative}': {in_words(error)}", where=where, todo=todo) from None
    except OSError as error:
        raise UsageError(f"the path '{relative}' cannot be read: {in_words(error)}", where=where) from None
    if stat.S_ISLNK(mode):
        raise UsageError(f"the path '{relative}' is a symbolic link", where=where, todo="Commit the file itself.")
    return resolved / below


def open_inside(path: Path, *, where: str) -> BinaryIO:
    """Open a regular file by the path that :func:`inside` returned; a link that has come in since is refused.

    Raises:
        UsageError: there is no such file, it is no regular file, or it cannot be read; ``where`` is put before that.
    """
    try:
        return open_plain(path)
    except FileNotFoundError:
        raise MissingFileError("the file is missing", where=where) from None
    except NotPlainError as error:
        raise UsageError(f"not a regular file: {in_words(error)}", where=where) from None
    except OSError as error:
        raise UsageError(f"cannot be read: {in_words(error)}", where=where) from None
