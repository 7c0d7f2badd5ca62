"""Looking at a file of weights before anything loads it: what it is, and whether loading it could run code.

ONNX, safetensors and plain NumPy arrays hold data only: they are accepted once their structure holds. Pickles (``.pt``,
``.pth``, ``.pkl``, ``.bin``, ``.model``; bare, compressed, in a zip or a tar, or in one within another) are programs:
they are accepted only if every name that they import is one that checkpoints need, see
:mod:`penstock.sources.harmless`. A file of another format is accepted as opaque bytes. Whatever is not
:attr:`Scanned.data_only` may be loaded only where no network is.
"""

from __future__ import annotations

import ast
import contextlib
import json
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import IO, Literal

from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_inside
from penstock.sources.packed import compression, unpacked
from penstock.sources.pickles import PICKLE_SUFFIXES, check_pickle, looks_like_pickle

Format = Literal["onnx", "safetensors", "npy", "npz", "pickle", "zip", "tar", "opaque"]

MAX_MEMBERS = 200_000
MAX_MEMBER_PICKLE_BYTES = 256 << 20
MAX_EXPANSION = 200
MAX_EXPANDED_BYTES = 64 << 30
MAX_DEPTH = 4
"""How often something may be packed within something packed."""
MAX_NESTED_BYTES = 2 << 30
"""All that is unpacked to look into it, for one file."""
MAX_HEADER_BYTES = 100_000_000
MAX_NPY_HEADER_BYTES = 1 << 16
_NPY_MAGIC = b"\x93NUMPY"
_ONNX_FIELDS = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26})


@dataclass(frozen=True)
class Scanned:
    """What a file of weights is."""

    format: Format
    data_only: bool
    """It holds numbers, and no loader of its format runs anything from it."""


class _Spent:
    """What looking into one file has cost so far."""

    def __init__(self) -> None:
        self.members = 0
        self.unpacked = 0

    def add(self, name: str, *, members: int = 0, unpacked: int = 0) -> None:
        """Count, and refuse what is too much."""
        self.members += members
        self.unpacked += unpacked
        if self.members > MAX_MEMBERS or self.unpacked > MAX_NESTED_BYTES:
            raise UsageError("it holds more than can be judged", where=name, todo=_UNPACK)


_UNPACK = "Store it as it is, not packed."


@dataclass(frozen=True)
class _Part:
    """Something that a loader of pickles may be given: a file, what is compressed in it, a member of an archive."""

    file: IO[bytes]
    """At its start; seekable."""
    size: int
    start: bytes
    """Its first 16 bytes."""
    name: str
    """For messages."""
    suffix: str
    spent: _Spent
    depth: int = 0
    """How many files, each packed in the one before, it lies in."""

    def inner(self, file: IO[bytes], size: int, *, name: str, suffix: str) -> _Part:
        """What is packed in this one, ``file`` at its start.

        Raises:
            UsageError: packed too often.
        """
        if self.depth == MAX_DEPTH:
            raise UsageError("it is packed in too many layers to be judged", where=name, todo=_UNPACK)
        start = file.read(16)
        file.seek(0)
        return _Part(file, size, start, name, suffix, self.spent, self.depth + 1)


def scan(path: Path, *, name: str = "") -> Scanned:
    """Look at a file of weights without loading it.

    Args:
        path: the file.
        name: its name in messages and for its suffix, if it is kept under another one (a cache by digest).

    Raises:
        UsageError: loading it could run code (the import is named), it is not what its suffix says, it is a zip bomb,
            or it cannot be judged.
    """
    name = name or path.name
    suffix = Path(name).suffix.lower()
    with open_inside(path.resolve(), where=name) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(16)
        file.seek(0)
        if suffix == ".safetensors":
            _safetensors(file, size, name)
            return Scanned("safetensors", data_only=True)
        if suffix == ".onnx":
            _onnx(file, size, name)
            return Scanned("onnx", data_only=True)
        if suffix == ".npy" and not start.startswith(_NPY_MAGIC):
            raise UsageError("not a NumPy array", where=name)
        if suffix == ".npz" and not start.startswith((b"PK", _NPY_MAGIC)):
            raise UsageError("not an archive of NumPy arrays", where=name)
        return _judged(_Part(file, size, start, name, suffix, _Spent()))


def _judged(part: _Part) -> Scanned:
    """What loaders take for an array, a zip, something compressed, a tar or a pickle; everything else is opaque."""
    if part.start.startswith(_NPY_MAGIC):
        _npy(part.file, part.name)
        return Scanned("npy", data_only=True)
    if part.start.startswith(b"PK"):
        return _zip(part)
    if kind := compression(part.start):
        return _compressed(part, kind)
    return _loaded(part)


def _loaded(part: _Part) -> Scanned:
    """A tar, a bare pickle, or opaque."""
    if _is_tar(part.file):
        return _tar(part)
    must_be = looks_like_pickle(part.start) or part.suffix in PICKLE_SUFFIXES
    found = check_pickle(part.file, part.size, where=part.name, must_be=must_be)
    return Scanned("pickle" if found else "opaque", data_only=False)


def _compressed(part: _Part, kind: str) -> Scanned:
    """joblib, pandas and others unpack before they unpickle: what is inside is judged."""
    name = part.name
    named = part.suffix in PICKLE_SUFFIXES or Path(name).with_suffix("").suffix.lower() in PICKLE_SUFFIXES
    content = unpacked(part.file, kind, MAX_MEMBER_PICKLE_BYTES)
    if content is None or (len(content) > MAX_MEMBER_PICKLE_BYTES and named):
        if named:
            what = f"it is compressed ({kind}) and cannot be judged"
            raise UsageError(what, where=name, todo="Store it as it is.")
        part.file.seek(0)
        return _loaded(replace(part, start=b""))
    part.spent.add(name, unpacked=len(content))
    suffix = ".pkl" if named else ""
    inside = part.inner(BytesIO(content), len(content), name=name, suffix=suffix)
    packed = looks_like_pickle(inside.start) or inside.start.startswith(b"PK") or compression(inside.start)
    if len(content) > MAX_MEMBER_PICKLE_BYTES and packed:
        raise UsageError(f"it is compressed ({kind}) and too large to be judged", where=name, todo="Store it as it is.")
    return _judged(inside)


def _safetensors(file: IO[bytes], size: int, name: str) -> None:
    """The header must be JSON of bounded size, and every tensor must lie inside the file."""
    broken = UsageError("not a whole safetensors file", where=name, todo="Fetch or save it again.")
    head = file.read(8)
    if len(head) < 8:
        raise broken
    length = int(struct.unpack("<Q", head)[0])
    if length > min(MAX_HEADER_BYTES, size - 8):
        raise broken
    try:
        header = json.loads(file.read(length))
        ends = [8 + length]
        for key, tensor in header.items():
            if key != "__metadata__":
                begin, end = tensor["data_offsets"]
                if not (isinstance(begin, int) and isinstance(end, int) and 0 <= begin <= end):
                    raise broken
                ends.append(8 + length + end)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise broken from None
    if max(ends) != size:
        raise broken


def _onnx(file: IO[bytes], size: int, name: str) -> None:
    """The top level of the protobuf message must be whole and have a graph; it holds no code."""
    broken = UsageError("not a whole ONNX file", where=name, todo="Fetch or export it again.")
    graph = False
    try:
        while file.tell() < size:
            key = _varint(file)
            field, wire = key >> 3, key & 7
            if field not in _ONNX_FIELDS:
                raise broken
            graph = graph or (field == 7 and wire == 2)
            if wire == 0:
                _varint(file)
            elif wire in (1, 5):
                file.seek(8 if wire == 1 else 4, 1)
            elif wire == 2:
                file.seek(_varint(file), 1)
            else:
                raise broken
            if file.tell() > size:
                raise broken
    except (EOFError, OSError, OverflowError):
        raise broken from None
    if not graph:
        raise broken


def _varint(file: IO[bytes]) -> int:
    value = shift = 0
    while True:
        byte = file.read(1)
        if not byte or shift > 63:
            raise EOFError
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
        shift += 7


def _npy(file: IO[bytes], name: str) -> None:
    """An array of Python objects is a pickle in disguise."""
    broken = UsageError("not a whole NumPy array", where=name)
    head = file.read(8)
    wide = len(head) == 8 and head[6] in (2, 3)
    length_bytes = file.read(4 if wide else 2)
    if len(head) < 8 or len(length_bytes) < (4 if wide else 2) or head[6] not in (1, 2, 3):
        raise broken
    length = int.from_bytes(length_bytes, "little")
    if length > MAX_NPY_HEADER_BYTES:
        raise broken
    try:
        header = ast.literal_eval(file.read(length).decode("utf-8").strip())
        described = header["descr"]
    except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
        raise broken from None
    if _has_objects(described):
        raise UsageError("it holds pickled Python objects", where=name, todo="Save arrays of numbers only.")


def _has_objects(described: object) -> bool:
    """Whether a dtype description (a string, or a list of fields) has an object in it."""
    if isinstance(described, str):
        return described.lstrip("<>|=").startswith("O")
    if isinstance(described, list | tuple):
        return any(
            _has_objects(part) for item in described for part in (item[1:] if isinstance(item, tuple) else [item])
        )
    return False


def _zip(part: _Part) -> Scanned:
    """A zip: NumPy's ``.npz``, PyTorch's checkpoint, or anything else. Every pickle in it is judged."""
    name, numpy = part.name, part.suffix == ".npz"
    pickles = False
    try:
        archive = zipfile.ZipFile(part.file)
        members = archive.infolist()
        expanded = sum(member.file_size for member in members)
        if (
            len(members) > MAX_MEMBERS
            or expanded > MAX_EXPANDED_BYTES
            or expanded > MAX_EXPANSION * part.size + (1 << 30)
        ):
            raise UsageError(f"a zip bomb: {len(members)} members, {expanded} bytes from {part.size}", where=name)
        part.spent.add(name, members=len(members))
        for member in members:
            if not member.is_dir():
                pickles |= _member(part, archive, member, numpy=numpy).format == "pickle"
    except (
        zipfile.BadZipFile,
        RuntimeError,
        NotImplementedError,
        EOFError,
        OSError,
        ValueError,
        struct.error,
        zlib.error,
        lzma.LZMAError,
    ) as error:
        raise UsageError(f"a zip that cannot be judged: {error}", where=name, todo="Fetch or save it again.") from None
    if numpy:
        return Scanned("npz", data_only=True)
    return Scanned("pickle" if pickles else "zip", data_only=False)


def _member(part: _Part, archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, numpy: bool) -> Scanned:
    """One member of a zip. It is read as a stream, unless it is an archive itself: there, one jumps to and fro."""
    where, suffix = f"{part.name}:{member.filename}", Path(member.filename).suffix.lower()
    with archive.open(member) as opened:
        inside = part.inner(opened, member.file_size, name=where, suffix=suffix)
        if numpy and not inside.start.startswith(_NPY_MAGIC):
            raise UsageError("not a NumPy array", where=where)
        if suffix in PICKLE_SUFFIXES and member.file_size > MAX_MEMBER_PICKLE_BYTES:
            raise UsageError("a pickle too large to be judged", where=where)
        if not (inside.start.startswith(b"PK") or _is_tar(opened)):
            return _judged(inside)
        if member.file_size > MAX_MEMBER_PICKLE_BYTES:
            raise UsageError("an archive within an archive, too large to be judged", where=where, todo=_UNPACK)
        part.spent.add(where, unpacked=member.file_size)
        return _judged(replace(inside, file=BytesIO(opened.read(MAX_MEMBER_PICKLE_BYTES))))


def _is_tar(file: IO[bytes]) -> bool:
    """Whether a tar with at least one member begins here; the stream stands at its start again."""
    found = False
    with contextlib.suppress(OSError, tarfile.TarError, ValueError), tarfile.open(fileobj=file, mode="r:") as archive:
        found = archive.next() is not None
    file.seek(0)
    return found


def _tar(part: _Part) -> Scanned:
    """A tar: how PyTorch saved before 0.1.10. Every member is judged."""
    try:
        with tarfile.open(fileobj=part.file, mode="r:") as archive:
            for member in archive:
                part.spent.add(part.name, members=1)
                opened = archive.extractfile(member) if member.isfile() else None
                if opened is not None:
                    suffix = Path(member.name).suffix.lower()
                    _judged(part.inner(opened, member.size, name=f"{part.name}:{member.name}", suffix=suffix))
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise UsageError(f"a tar that cannot be judged: {error}", where=part.name) from None
    return Scanned("tar", data_only=False)
