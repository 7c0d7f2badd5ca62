"""A store in a local directory (or a mounted volume)."""

from __future__ import annotations

import contextlib
import fcntl
import glob
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.foundation.errors import WorldError
from penstock.foundation.files import CHUNK_BYTES, disk_errors, replacing, sha256_file
from penstock.foundation.handles import Folder, NotPlainError, in_words, kind_of
from penstock.store.store import (
    MAX_POINTER_BYTES,
    PROBE,
    DamagedError,
    Entry,
    NotStoredError,
    Pointer,
    Store,
    UnfitStoreError,
    check_key,
    damaged,
    decode_pointer,
    differs,
    encode_pointer,
    missing,
)

_TEMPORARY = ".incoming-"
LOCK_TIMEOUT_S = 60.0
"""A pointer is locked for milliseconds: who waits this long waits for a process that was stopped."""
MIN_FREE_BYTES = 64 << 20


class LocalStore(Store):
    """Objects as read-only files. A file appears under its name only when it is whole and synced."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.expanduser().absolute()
        self.uri = str(self.directory)
        with disk_errors(self.directory):
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                raise WorldError("the store's location is not a directory", where=self.uri) from None

    def put_file(self, key: str, path: Path, sha256: str) -> bool:
        """See :meth:`Store.put_file`. A hard link puts it in place: it fails if the name is taken."""
        target = self._path(key)
        if target.exists():
            return self._same(target, sha256)
        with disk_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
            temporary = Path(name)
            try:
                digest = hashlib.sha256()
                with os.fdopen(handle, "wb") as out, path.open("rb") as source:
                    while chunk := source.read(CHUNK_BYTES):
                        digest.update(chunk)
                        out.write(chunk)
                    out.flush()
                    os.fsync(out.fileno())
                if digest.hexdigest() != sha256:
                    raise WorldError("the file changed while it was stored", where=str(path), todo="Start a new run.")
                temporary.chmod(0o444)
                try:
                    os.link(temporary, target)
                except FileExistsError:
                    return self._same(target, sha256)
                _sync_directory(target.parent)
            finally:
                temporary.unlink(missing_ok=True)
        return True

    def get_file(self, key: str, path: Path, sha256: str | None = None) -> str:
        """See :meth:`Store.get_file`."""
        source = self._path(key)
        if not source.is_file():
            raise missing(self.location(key))
        digest = hashlib.sha256()
        with replacing(path) as temporary, temporary.open("wb") as out, source.open("rb") as content:
            while chunk := content.read(CHUNK_BYTES):
                digest.update(chunk)
                out.write(chunk)
            if sha256 is not None and digest.hexdigest() != sha256:
                raise damaged(self.location(key))
        return digest.hexdigest()

    def digest(self, key: str) -> str | None:
        """See :meth:`Store.digest`; the content is read."""
        path = self._path(key)
        return sha256_file(path) if path.is_file() else None

    def list(self, prefix: str) -> Iterator[Entry]:
        """See :meth:`Store.list`."""
        root = self._path(prefix.rstrip("/")) if prefix.strip("/") else self.directory
        found = [path for path in root.rglob("*") if path.is_file() and not path.name.startswith(".")]
        for path in sorted(found):
            yield Entry(path.relative_to(self.directory).as_posix(), path.stat().st_size)

    def names(self, prefix: str) -> Sequence[str]:
        """See :meth:`Store.names`. Names that begin with a dot are those of unfinished files and locks."""
        if prefix.strip("/"):
            check_key(prefix.strip("/"))
        try:
            with self._reading(prefix or ".") as root, root.folder(prefix.strip("/") or ".") as folder:
                return sorted(name for name in folder.names() if not name.startswith("."))
        except NotStoredError:
            return []

    def size(self, key: str) -> int | None:
        """See :meth:`Store.size`."""
        check_key(key)
        try:
            with self._reading(key) as root, root.open(key) as file:
                return os.fstat(file.fileno()).st_size
        except NotStoredError:
            return None

    def read_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """See :meth:`Store.read_range`."""
        check_key(key)
        with self._reading(key) as root, root.open(key) as file:
            file.seek(start)
            while length > 0 and (chunk := file.read(min(length, CHUNK_BYTES))):
                length -= len(chunk)
                yield chunk

    @contextlib.contextmanager
    def _reading(self, key: str) -> Iterator[Folder]:
        """The store's directory, held open: below it no link is followed.

        Raises:
            NotStoredError: what is read is not there, or is a link or anything else that no store holds.
            WorldError: the disk refuses, or the directory is gone.
        """
        where = f"{self.uri}/{key}"
        try:
            folder = Folder.at(self.directory)
        except OSError as error:
            raise WorldError(f"the store cannot be read: {in_words(error)}", where=self.uri) from None
        with folder:
            try:
                yield folder
            except (FileNotFoundError, NotADirectoryError, NotPlainError):
                raise missing(where) from None
            except OSError as error:
                raise WorldError(f"cannot read: {in_words(error)}", where=where) from None

    def forget_unfinished(self, prefix: str) -> None:
        """See :meth:`Store.forget_unfinished`."""
        root = self._path(prefix)
        with disk_errors(root):
            for path in [path for path in root.rglob(f"{_TEMPORARY}*") if path.is_file()]:
                path.unlink(missing_ok=True)

    def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        """See :meth:`Store.swap_pointer`. A lock is held from looking to renaming."""
        content = encode_pointer(key, value)
        path = self._path(key)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _locked(path.with_name(f".{path.name}.lock")):
                there = self.read_pointer(key)
                if (there.version if there else None) != (seen.version if seen else None):
                    return False
                for left in path.parent.glob(f".{glob.escape(path.name)}.tmp-*"):
                    left.unlink(missing_ok=True)  # of one that was killed here: only who holds the lock writes
                with replacing(path) as temporary:
                    temporary.write_bytes(content)
                _sync_directory(path.parent)
        return True

    def read_pointer(self, key: str) -> Pointer | None:
        """See :meth:`Store.read_pointer`. Its version is the SHA-256 of its content."""
        path = self._path(key)
        try:
            if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
                what = f"{kind_of(path.stat().st_mode)} stands in the place of a pointer"
                raise DamagedError(what, where=self.location(key), todo="Restore it from a copy.")
            with path.open("rb") as file:
                content = file.read(MAX_POINTER_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise WorldError(
                f"cannot read: {os.strerror(error.errno or 0).lower()}", where=self.location(key)
            ) from None
        return Pointer(decode_pointer(self.location(key), content), hashlib.sha256(content).hexdigest())

    def probe(self, name: str, *, need_bytes: int = 0) -> None:
        """See :meth:`Store.probe`: it can be written, has hard links and locks, and room."""
        key = f"probes/{name}"
        need = max(need_bytes, MIN_FREE_BYTES)
        with tempfile.TemporaryDirectory(prefix="penstock-probe-") as folder:
            file = Path(folder) / "probe"
            file.write_bytes(PROBE)
            try:
                self.put_file(f"{key}.bin", file, hashlib.sha256(PROBE).hexdigest())
                self.swap_pointer(f"{key}.json", {"probe": True}, seen=self.read_pointer(f"{key}.json"))
            except OSError as error:
                reason = os.strerror(error.errno or 0).lower()
                raise UnfitStoreError(
                    f"the store's file system lacks what Penstock needs: hard links and flock ({reason})",
                    where=self.uri,
                    todo="Keep the store on a file system that has them: ext4, XFS, Btrfs, NFS 4.",
                ) from None
            finally:
                for left in (f"{name}.bin", f"{name}.json", f".{name}.json.lock"):
                    (self.directory / "probes" / left).unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # another run is probing
                    (self.directory / "probes").rmdir()
        free = shutil.disk_usage(self.directory).free
        if free < need:
            raise WorldError(
                f"the store has {free >> 20} MiB free, and this run needs about {-(-need >> 20)} MiB",
                where=self.uri,
                todo="Free space, or use a larger volume.",
            )

    def _path(self, key: str) -> Path:
        return self.directory / check_key(key)

    def _same(self, target: Path, sha256: str) -> bool:
        if not target.is_file() or sha256_file(target) != sha256:
            raise differs(str(target))
        return False


def _sync_directory(path: Path) -> None:
    """Make a new name survive a crash; file systems that cannot sync directories are left alone."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with this process. The file stays: removing it would let two processes hold two locks."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT_S
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise WorldError(
                        "another process holds the lock of this pointer",
                        where=str(path),
                        todo="Look for a penstock process that is stopped, and end it.",
                    ) from None
                time.sleep(0.01)
        yield
    finally:
        os.close(handle)
