"""A layer of an image as a tar: read once from its first byte to its last, and nothing is unpacked.

Who wrote the Containerfile makes a layer, and so do those whose image it stands on. So its headers are read one
block at a time, no path is opened, no link is followed, and whatever grows is bounded.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.foundation.errors import UsageError

BLOCK = 512
CHUNK = 1 << 20
MAX_UNPACKED_BYTES = 64 << 30
MAX_ENTRIES = 5_000_000
MAX_CONTENT_BYTES = 256 << 10
"""Of a file, this much is given as its beginning: the headers of METADATA stand first. A tar's own extended headers
(long names, attributes) have some hundred bytes, and may not have more than this."""
MAX_PATH = 4096
"""Linux's limit; nothing can have a longer one."""
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
ZSTD_WINDOW_LOG = 27
"""128 MiB: what zstd's own program unpacks without being told that it may use more."""
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


class UnreadableLayerError(UsageError):
    """A layer is no tar, or larger than anything that is worth reading."""


@contextlib.contextmanager
def opened_layer(path: Path) -> Iterator[LayerStream]:
    """A layer's file: a tar, or one that is packed with gzip or zstd.

    Raises:
        UnreadableLayerError: it is neither, is broken off, or goes over a limit; ``what`` says which. Also what is
            raised within, where that comes of reading it.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start[:2] == GZIP:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    yield LayerStream(unpacked)
                return
            if start == ZSTD:
                with _unpacked_zstd(file) as unpacked_zstd:
                    yield LayerStream(unpacked_zstd)
                return
            yield LayerStream(file)
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, ValueError, OverflowError) as error:
        raise UnreadableLayerError(f"it is no whole tar: {error}") from None
    except OSError as error:
        raise UnreadableLayerError(f"it cannot be read: {error.strerror or error}") from None


@contextlib.contextmanager
def _unpacked_zstd(file: io.BufferedIOBase) -> Iterator[io.BufferedIOBase]:
    # only the image of the step build has it
    from backports.zstd import DecompressionParameter, ZstdError, ZstdFile

    try:
        with ZstdFile(file, options={DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}) as unpacked:
            yield unpacked
    except ZstdError as error:
        raise UnreadableLayerError(f"it is no whole tar: {error}") from None


def taken_out(path: str) -> tuple[str, bool] | None:
    """What an entry's path takes out of the layers below: a path and whether only what lies in that folder.

    Returns:
        ``None``: it is an entry like any other.
    """
    folder, _, name = path.rpartition("/")
    if name == OPAQUE:
        return folder, True
    if name.startswith(WHITEOUT):
        return f"{folder}/{name[len(WHITEOUT) :]}".lstrip("/"), False
    return None


@dataclass(frozen=True)
class LayerEntry:
    """One file, link or folder of a layer."""

    path: str
    """Without ``./`` and ``/`` before it; empty: it is the root, or leads out of the image."""
    size: int
    """Of what follows."""
    plain: bool
    """A file with a content."""
    folder: bool
    link: str = ""
    """Of a hard link, the path that it is the same file as; like ``path``."""


class LayerStream:
    """Blocks of a tar; what is read of it in all is bounded."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        self._read = 0
        self._rest = 0
        """Bytes of the entry's content, padding included, that are not read yet."""

    def block(self) -> bytes:
        """The next 512 bytes."""
        return self._take(BLOCK)

    def open(self, size: int) -> None:
        """Begin an entry's content."""
        self._rest = -(-size // BLOCK) * BLOCK

    def begin(self, size: int, most: int = MAX_CONTENT_BYTES) -> bytes:
        """The beginning of the content."""
        content = self._take(min(size, most))
        self._rest -= len(content)
        return content

    def content(self, size: int) -> Iterator[bytes]:
        """The whole content, in pieces."""
        while size > 0:
            part = self._take(min(size, CHUNK))
            self._rest -= len(part)
            size -= len(part)
            yield part

    def skip_rest(self) -> None:
        """Pass over what is not read of the content."""
        while self._rest > 0:
            self._rest -= len(self._take(min(self._rest, CHUNK)))

    def _take(self, size: int) -> bytes:
        self._read += size
        if self._read > MAX_UNPACKED_BYTES:
            raise UnreadableLayerError(f"unpacked it has more than {MAX_UNPACKED_BYTES >> 30} GiB")
        parts = []
        while size > 0:
            part = self._file.read(size)
            if not part:
                raise EOFError("it ends within an entry")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def layer_entries(stream: LayerStream) -> Iterator[LayerEntry]:
    """Every file, link and folder; before the next one is asked for, the content must be read or skipped."""
    told: dict[str, str] = {}
    for _ in range(MAX_ENTRIES):
        block = stream.block()
        if block.count(0) == BLOCK:
            return
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
        if header.type in (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE):
            content = _extended(stream, header.size)
            if header.type == tarfile.GNUTYPE_LONGNAME:
                told["path"] = content.rstrip(b"\0").decode("utf-8", "replace")
            elif header.type == tarfile.GNUTYPE_LONGLINK:
                told["linkpath"] = content.rstrip(b"\0").decode("utf-8", "replace")
            elif header.type == tarfile.XHDTYPE:
                told |= _records(content)
            continue
        size = _size(told.get("size"), header.size)
        # a link and a folder have no content, whatever size stands there
        follows = size if header.isreg() or header.type not in tarfile.SUPPORTED_TYPES else 0
        if header.type == tarfile.GNUTYPE_SPARSE:
            more = block[482]
            while more:
                more = stream.block()[504]
        stream.open(follows)
        link = _normal(told.get("linkpath", header.linkname)) if header.type == tarfile.LNKTYPE else ""
        yield LayerEntry(_normal(told.get("path", header.name)), size, header.isreg(), header.isdir(), link)
        stream.skip_rest()
        told = {}
    raise UnreadableLayerError(f"it has more than {MAX_ENTRIES:,} entries")


def _extended(stream: LayerStream, size: int) -> bytes:
    if not 0 <= size <= MAX_CONTENT_BYTES:
        raise UnreadableLayerError(f"one of its entries has a header of more than {MAX_CONTENT_BYTES >> 10} KiB")
    stream.open(size)
    content = stream.begin(size)
    stream.skip_rest()
    return content


def _records(content: bytes) -> dict[str, str]:
    """``path``, ``linkpath`` and ``size`` of a pax header: lines ``LENGTH KEY=VALUE``, the length of the line."""
    found: dict[str, str] = {}
    place = 0
    while place < len(content):
        length, space, _ = content[place : place + 20].partition(b" ")
        if not space or not length.isdigit() or int(length) <= len(length) + 1:
            break
        line = content[place + len(length) + 1 : place + int(length) - 1]
        key, _, value = line.partition(b"=")
        if key in (b"path", b"linkpath", b"size"):
            found[key.decode()] = value.decode("utf-8", "replace")
        place += int(length)
    return found


def _size(told: str | None, size: int) -> int:
    if told is not None and told.isdecimal() and len(told) < 20:
        size = int(told)
    if size < 0:
        raise UnreadableLayerError("one of its entries has less than nothing in it")
    return size


def _normal(name: str) -> str:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "" if ".." in parts or len(name) > MAX_PATH else "/".join(parts)
