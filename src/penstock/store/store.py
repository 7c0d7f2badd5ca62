"""What a store can do: evidence goes in once and never changes; a pointer may be moved."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError, WorldError

MAX_KEY_BYTES = 900
MAX_POINTER_BYTES = 1 << 20
PROBE = b"Penstock tries out what this store can do.\n"


@dataclass(frozen=True)
class Entry:
    """One object of a store."""

    key: str
    bytes: int


@dataclass(frozen=True)
class Pointer:
    """A pointer as it was read: what it says, and which of its versions that was."""

    value: dict[str, Any]
    version: str
    """What the store knows it by: an ETag, or the SHA-256 of its content."""


class Store(ABC):
    """Objects under keys such as ``runs/MODEL/RUN/run.json``.

    Every method raises :class:`WorldError` if the store cannot be reached, refuses, or is full, and
    :class:`UsageError` for a key that is not one.
    """

    uri: str
    """Where it is, without credentials."""

    @abstractmethod
    def put_file(self, key: str, path: Path, sha256: str) -> bool:
        """Store a file for good. Its content is compared with ``sha256`` on the way.

        Returns:
            True if it was stored now, False if the same content was there already.

        Raises:
            WorldError: other content is there, or the file is not what ``sha256`` says.
        """

    @abstractmethod
    def get_file(self, key: str, path: Path, sha256: str | None = None) -> str:
        """Bring an object to ``path``, whole or not at all. Returns its SHA-256.

        Raises:
            WorldError: it is missing, or its content is not what ``sha256`` (or the store's own record) says.
        """

    @abstractmethod
    def digest(self, key: str) -> str | None:
        """SHA-256 of an object, or ``None`` if there is none."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[Entry]:
        """All objects below ``prefix``, sorted by key."""

    @abstractmethod
    def names(self, prefix: str) -> Sequence[str]:
        """What lies right below ``prefix``, sorted: names of objects, and the next part of longer keys, each once.

        One request a thousand names, whatever lies below them.
        """

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Bytes of an object, or ``None`` if there is none."""

    @abstractmethod
    def read_range(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """Bytes of an object, piece by piece: at most ``length`` of them from ``start`` on, fewer where it ends before.

        What is read in part cannot be compared with a digest. No symbolic link is followed.

        Raises:
            NotStoredError: there is no such object.
        """

    @abstractmethod
    def swap_pointer(self, key: str, value: dict[str, Any], *, seen: Pointer | None) -> bool:
        """Replace a small JSON object, but only the version that was seen; readers see the old or the new one.

        Args:
            key: the pointer's.
            value: what it is to say.
            seen: what :meth:`read_pointer` returned; ``None``: there was none, and there still must be none.

        Returns:
            False if somebody else has moved it since: nothing was written.
        """

    @abstractmethod
    def read_pointer(self, key: str) -> Pointer | None:
        """Read what :meth:`swap_pointer` wrote, or ``None``."""

    @abstractmethod
    def forget_unfinished(self, prefix: str) -> None:
        """Remove what a killed writer has left below ``prefix``, where nobody else writes now."""

    @abstractmethod
    def probe(self, name: str, *, need_bytes: int = 0) -> None:
        """Try everything that archiving and publishing will need, on small objects below ``probes/``, and remove them.

        Args:
            name: the run's id: two runs that probe at once are not in each other's way.
            need_bytes: about how much is going to be stored; only a local store can tell whether there is room.

        Raises:
            WorldError: names what the store lacks.
        """

    def get_pointer(self, key: str) -> dict[str, Any] | None:
        """What a pointer says, or ``None``."""
        found = self.read_pointer(key)
        return None if found is None else found.value

    def read(self, key: str, max_bytes: int) -> bytes:
        """The content of a small object.

        Raises:
            NotStoredError: there is no such object.
            DamagedError: it is larger than ``max_bytes``.
            WorldError: the store cannot be reached.
        """
        content = b"".join(self.read_range(key, 0, max_bytes + 1))
        if len(content) > max_bytes:
            raise DamagedError(f"the object is larger than {max_bytes >> 20} MiB", where=self.location(key))
        return content

    def exists(self, key: str) -> bool:
        """Whether there is an object."""
        return self.digest(key) is not None

    def location(self, key: str) -> str:
        """The full address of a key."""
        return f"{self.uri.rstrip('/')}/{check_key(key)}"


def check_key(key: str) -> str:
    """Check that a key is a plain relative path: no empty, ``.`` or ``..`` part, no control character.

    Raises:
        UsageError: why not.
    """
    parts = key.split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in key or not key.isprintable():
        raise UsageError(f"'{key[:200]}' is not a key of a store", todo="Use plain names without '..'.")
    if len(key.encode()) > MAX_KEY_BYTES or any(len(part.encode()) > 200 for part in parts):
        raise UsageError(f"the key '{key[:80]}…' is too long for a store")
    return key


def encode_pointer(key: str, value: dict[str, Any]) -> bytes:
    """A pointer's content as canonical JSON.

    Raises:
        UsageError: it is too large.
    """
    content = (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
    if len(content) > MAX_POINTER_BYTES:
        raise UsageError(f"a pointer is larger than {MAX_POINTER_BYTES >> 20} MiB", where=key)
    return content


def decode_pointer(where: str, content: bytes) -> dict[str, Any]:
    """Read a pointer's content.

    Raises:
        DamagedError: it is not a JSON object.
    """
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise DamagedError("the store holds no JSON object here", where=where, todo="Restore it from a copy.")
    return value


def differs(where: str) -> WorldError:
    """The error for content that would have to replace other content."""
    return WorldError(
        "other content is stored here, and evidence is never replaced", where=where, todo="Use a new run."
    )


def damaged(where: str) -> WorldError:
    """The error for content that is not what its digest says."""
    return DamagedError("the content is not what its SHA-256 says", where=where, todo="Restore it from a copy.")


class UnfitStoreError(WorldError):
    """The store lacks something that Penstock needs: trying again does not help."""

    resumable = False


class DamagedError(WorldError):
    """The store answers, and what it holds is not what was stored: trying again does not help, a copy does."""


class NotStoredError(WorldError):
    """The store has no such object."""


def missing(where: str) -> NotStoredError:
    """The error for an object that is not there."""
    return NotStoredError("the store has no such object", where=where, todo="Check the model's name and the run.")
