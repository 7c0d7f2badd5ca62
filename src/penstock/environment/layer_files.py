"""What of one layer is worth keeping: a tar is read once from its first byte to its last, and nothing is unpacked.

Who wrote the Containerfile makes a layer, and so do those whose image it stands on. So its headers are read one
block at a time, no path is opened, no link is followed, and whatever grows is bounded.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from penstock.bundle.models import SCHEMA_VERSION, Record
from penstock.environment.debian import MAX_STATUS_BYTES, OS_RELEASE, STATUS, shortened_status
from penstock.foundation.errors import UsageError

BLOCK = 512
CHUNK = 1 << 20
MAX_UNPACKED_BYTES = 64 << 30
MAX_ENTRIES = 5_000_000
MAX_KEPT = 50_000
"""Paths of a layer that are kept."""
MAX_CONTENT_BYTES = 256 << 10
"""Of a file, this much is kept: the headers of METADATA stand first. A tar's own extended headers (long names,
attributes) have some hundred bytes, and may not have more than this."""
MAX_CONTENTS_BYTES = 8 << 20
"""Of all files of a layer together; 400 packages have one."""
MAX_PATH = 4096
"""Linux's limit; nothing can have a longer one."""
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
ZSTD_WINDOW_LOG = 27
"""128 MiB: what zstd's own program unpacks without being told that it may use more."""

DISTRIBUTION = re.compile(r"(?:^|/)(?:site|dist)-packages/[^/]{1,200}\.dist-info/(?:METADATA|WHEEL)\Z")
BUILD_INFO = re.compile(r"(?:^|/)(?:site|dist)-packages/onnxruntime/capi/build_and_package_info\.py\Z")
CUDA_VERSION = re.compile(r"^usr/local/cuda[^/]{0,40}/version\.json\Z")
CONTENTS = (DISTRIBUTION, BUILD_INFO, CUDA_VERSION, OS_RELEASE)
"""Files whose beginning is kept."""
LIBRARY = re.compile(r"(?:^|/)lib(cudart|cublas|cudnn)(?:-[0-9a-f]{1,64})?\.so\.(\d{1,3})(?:\.\d{1,6}){0,4}\Z")
COMPAT = re.compile(r"(?:^|/)compat/libcuda\.so\.(\d{3,4})\.\d")
PYTHON = re.compile(r"(?:^|/)bin/python(3\.\d{1,2})\Z")
MUSL = re.compile(r"^(?:usr/)?lib/ld-musl-[a-z0-9_]{1,40}\.so\.1\Z")
GNU = re.compile(r"^(?:usr/)?lib(?:64|/[a-z0-9_-]{1,40})?/ld-linux[a-z0-9_-]{0,40}\.so\.[12]\Z")
NAMES = (LIBRARY, COMPAT, PYTHON, MUSL, GNU)
"""Files and links whose names alone tell."""
WHITEOUT, OPAQUE = ".wh.", ".wh..wh..opq"


class UnreadableLayerError(UsageError):
    """A layer is no tar, or larger than anything that is worth reading."""


class LayerFiles(Record):
    """One layer, as far as it matters."""

    schema_version: int = SCHEMA_VERSION
    names: list[str] = Field(default_factory=list)
    """Paths of files and links of :data:`NAMES`, without a leading ``/``."""
    contents: dict[str, str] = Field(default_factory=dict)
    """Path of a file of :data:`CONTENTS` → its beginning; of dpkg's status → its packages, one a line."""
    removed: list[str] = Field(default_factory=list)
    """Paths that it takes out of the layers below, each with all that lies below it; ``""`` is everything."""
    emptied: list[str] = Field(default_factory=list)
    """Folders of which it takes out what the layers below have in them."""


def read_layer(path: Path) -> LayerFiles:
    """Read a layer from a file: a tar, or one that is packed with gzip or zstd.

    Raises:
        UnreadableLayerError: it is neither, is broken off, or goes over a limit; ``what`` says which.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
            file.seek(0)
            if start[:2] == GZIP:
                with gzip.GzipFile(fileobj=file) as unpacked:
                    return _read(unpacked)
            if start == ZSTD:
                return _read_zstd(file)
            return _read(file)
    except (EOFError, zlib.error, gzip.BadGzipFile, tarfile.TarError, ValueError, OverflowError) as error:
        raise UnreadableLayerError(f"it is no whole tar: {error}") from None
    except OSError as error:
        raise UnreadableLayerError(f"it cannot be read: {error.strerror or error}") from None


def _read_zstd(file: io.BufferedIOBase) -> LayerFiles:
    # only the image of the step build has it
    from backports.zstd import DecompressionParameter, ZstdError, ZstdFile

    try:
        with ZstdFile(file, options={DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}) as unpacked:
            return _read(unpacked)
    except ZstdError as error:
        raise UnreadableLayerError(f"it is no whole tar: {error}") from None


@dataclass(frozen=True)
class MergedFiles:
    """What a container of the image sees, as far as it matters."""

    names: frozenset[str]
    contents: dict[str, str]


def merge(layers: Iterable[LayerFiles]) -> MergedFiles:
    """Lay layers over each other, the lowest first."""
    names: set[str] = set()
    contents: dict[str, str] = {}
    for layer in layers:
        if gone := {*layer.removed, *layer.emptied}:
            whole = set(layer.removed)
            names = {path for path in names if not _is_gone(path, whole, gone)}
            contents = {path: text for path, text in contents.items() if not _is_gone(path, whole, gone)}
        names |= set(layer.names)
        contents |= layer.contents
    return MergedFiles(frozenset(names), contents)


def _is_gone(path: str, whole: set[str], gone: set[str]) -> bool:
    above = path
    while above:
        above = above.rpartition("/")[0]
        if above in gone:
            return True
    return path in whole


@dataclass(frozen=True)
class _Entry:
    path: str
    """Without ``./`` and ``/`` before it; empty: it is the root, or leads out of the image."""
    size: int
    """Of what follows."""
    plain: bool
    """A file with a content."""
    folder: bool


def _read(file: io.BufferedIOBase) -> LayerFiles:
    names: list[str] = []
    contents: dict[str, str] = {}
    removed: list[str] = []
    emptied: list[str] = []
    kept = 0
    stream = _Stream(file)
    for entry in _entries(stream):
        folder, _, name = entry.path.rpartition("/")
        if name == OPAQUE:
            emptied.append(folder)
        elif name.startswith(WHITEOUT):
            removed.append(f"{folder}/{name[len(WHITEOUT) :]}".lstrip("/"))
        elif not entry.folder and any(pattern.search(entry.path) for pattern in NAMES):
            names.append(entry.path)
        text = None
        if entry.plain and any(pattern.search(entry.path) for pattern in CONTENTS):
            text = _headers(stream.begin(entry.size).decode("utf-8", "replace"))
        elif entry.plain and STATUS.search(entry.path):
            text = shortened_status(stream.begin(entry.size, MAX_STATUS_BYTES).decode("utf-8", "replace"))
        if text is not None:
            kept += len(text)
            contents[entry.path] = text
        if len(names) + len(contents) + len(removed) + len(emptied) > MAX_KEPT or kept > MAX_CONTENTS_BYTES:
            raise UnreadableLayerError("it has more packages and libraries than any image")
        stream.skip_rest()
    return LayerFiles(names=names, contents=contents, removed=removed, emptied=emptied)


def _headers(text: str) -> str:
    """A text as far as its first empty line: what METADATA says further down is prose."""
    return text.replace("\r\n", "\n").partition("\n\n")[0]


class _Stream:
    """Blocks of a tar; what is read of it in all is bounded."""

    def __init__(self, file: io.BufferedIOBase) -> None:
        self._file = file
        self._read = 0
        self._rest = 0
        """Bytes of the entry's content, padding included, that are not read yet."""

    def block(self) -> bytes:
        return self._take(BLOCK)

    def open(self, size: int) -> None:
        """Begin an entry's content."""
        self._rest = -(-size // BLOCK) * BLOCK

    def begin(self, size: int, most: int = MAX_CONTENT_BYTES) -> bytes:
        """The beginning of the content."""
        content = self._take(min(size, most))
        self._rest -= len(content)
        return content

    def skip_rest(self) -> None:
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


def _entries(stream: _Stream) -> Iterator[_Entry]:
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
        yield _Entry(_normal(told.get("path", header.name)), size, header.isreg(), header.isdir())
        stream.skip_rest()
        told = {}
    raise UnreadableLayerError(f"it has more than {MAX_ENTRIES:,} entries")


def _extended(stream: _Stream, size: int) -> bytes:
    if not 0 <= size <= MAX_CONTENT_BYTES:
        raise UnreadableLayerError(f"one of its entries has a header of more than {MAX_CONTENT_BYTES >> 10} KiB")
    stream.open(size)
    content = stream.begin(size)
    stream.skip_rest()
    return content


def _records(content: bytes) -> dict[str, str]:
    """``path`` and ``size`` of a pax header: ``LENGTH KEY=VALUE`` lines, the length that of the whole line."""
    found: dict[str, str] = {}
    place = 0
    while place < len(content):
        length, space, _ = content[place : place + 20].partition(b" ")
        if not space or not length.isdigit() or int(length) <= len(length) + 1:
            break
        line = content[place + len(length) + 1 : place + int(length) - 1]
        key, _, value = line.partition(b"=")
        if key in (b"path", b"size"):
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
