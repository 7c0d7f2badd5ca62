"""Looking at a file of weights before anything loads it: what it is, and whether loading it could run code.

ONNX, safetensors and plain NumPy arrays hold data only: they are accepted once their structure holds. Pickles (``.pt``,
``.pth``, ``.pkl``, ``.bin``, ``.model``; bare, compressed, in a zip or in a tar) are programs: they are accepted only
if every name that they import is one that checkpoints need, see :mod:`penstock.sources.harmless`. A file of another
format is accepted as opaque bytes. Whatever is not :attr:`Scanned.data_only` may be loaded only where no network is.
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
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Literal

from penstock.errors import UsageError
from penstock.files import open_inside
from penstock.sources.packed import compression, unpacked
from penstock.sources.pickles import PICKLE_SUFFIXES, check_pickle, looks_like_pickle

Format = Literal["onnx", "safetensors", "npy", "npz", "pickle", "zip", "tar", "opaque"]

MAX_MEMBERS = 200_000
MAX_MEMBER_PICKLE_BYTES = 256 << 20
MAX_EXPANSION = 200
MAX_EXPANDED_BYTES = 64 << 30
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
        if start.startswith(_NPY_MAGIC):
            _npy(file, name)
            return Scanned("npy", data_only=True)
        if suffix == ".npy":
            raise UsageError("not a NumPy array", where=name)
        if suffix == ".npz" and not start.startswith(b"PK"):
            raise UsageError("not an archive of NumPy arrays", where=name)
        if start.startswith(b"PK") or not (kind := compression(start)):
            return _loaded(file, size, start, name, suffix)
        return _compressed(file, kind, name, suffix)


def _loaded(file: IO[bytes], size: int, start: bytes, name: str, suffix: str) -> Scanned:
    """What loaders of pickles take: a zip, a tar, a bare pickle; everything else is opaque."""
    if start.startswith(b"PK"):
        return _zip(file, size, name, numpy=suffix == ".npz")
    if _is_tar(file):
        return _tar(file, name)
    must_be = looks_like_pickle(start) or suffix in PICKLE_SUFFIXES
    found = check_pickle(file, size, where=name, must_be=must_be)
    return Scanned("pickle" if found else "opaque", data_only=False)


def _compressed(file: IO[bytes], kind: str, name: str, suffix: str) -> Scanned:
    """joblib, pandas and others unpack before they unpickle: what is inside is judged."""
    named = suffix in PICKLE_SUFFIXES or Path(name).with_suffix("").suffix.lower() in PICKLE_SUFFIXES
    content = unpacked(file, kind, MAX_MEMBER_PICKLE_BYTES)
    if content is None or (len(content) > MAX_MEMBER_PICKLE_BYTES and named):
        if named:
            what = f"it is compressed ({kind}) and cannot be judged"
            raise UsageError(what, where=name, todo="Store it as it is.")
        file.seek(0)
        return _loaded(file, os.fstat(file.fileno()).st_size, b"", name, suffix)
    start = content[:16]
    if len(content) > MAX_MEMBER_PICKLE_BYTES and (looks_like_pickle(start) or start.startswith(b"PK")):
        raise UsageError(f"it is compressed ({kind}) and too large to be judged", where=name, todo="Store it as it is.")
    if start.startswith(_NPY_MAGIC):
        _npy(BytesIO(content), name)
        return Scanned("npy", data_only=True)
    return _loaded(BytesIO(content), len(content), start, name, ".pkl" if named else "")


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


def _zip(file: IO[bytes], size: int, name: str, *, numpy: bool) -> Scanned:
    """A zip: NumPy's ``.npz``, PyTorch's checkpoint, or anything else. Every pickle in it is judged."""
    pickles = False
    try:
        archive = zipfile.ZipFile(file)
        members = archive.infolist()
        expanded = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS or expanded > MAX_EXPANDED_BYTES or expanded > MAX_EXPANSION * size + (1 << 30):
            raise UsageError(f"a zip bomb: {len(members)} members, {expanded} bytes from {size}", where=name)
        for member in members:
            where = f"{name}:{member.filename}"
            with archive.open(member) as opened:
                start = opened.read(16)
            suffix = Path(member.filename).suffix.lower()
            if start.startswith(_NPY_MAGIC):
                with archive.open(member) as opened:
                    _npy(opened, where)
                continue
            if numpy and not member.is_dir():
                raise UsageError("not a NumPy array", where=where)
            named = suffix in PICKLE_SUFFIXES
            if member.is_dir() or not (named or looks_like_pickle(start)):
                continue
            if member.file_size <= MAX_MEMBER_PICKLE_BYTES:
                content = archive.read(member)
                pickles |= check_pickle(BytesIO(content), len(content), where=where, must_be=named)
            elif named:
                raise UsageError("a pickle too large to be judged", where=where)
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


def _is_tar(file: IO[bytes]) -> bool:
    """Whether a tar with at least one member begins here; the stream stands at its start again."""
    found = False
    with contextlib.suppress(OSError, tarfile.TarError, ValueError), tarfile.open(fileobj=file, mode="r:") as archive:
        found = archive.next() is not None
    file.seek(0)
    return found


def _tar(file: IO[bytes], name: str) -> Scanned:
    """A tar: how PyTorch saved before 0.1.10. Every member is judged as a pickle."""
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for number, member in enumerate(archive):
                if number > MAX_MEMBERS:
                    raise UsageError("more members than can be judged", where=name)
                opened = archive.extractfile(member) if member.isfile() else None
                if opened is not None:
                    start = opened.read(2)
                    opened.seek(0)
                    must_be = looks_like_pickle(start)
                    check_pickle(opened, member.size, where=f"{name}:{member.name}", must_be=must_be)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise UsageError(f"a tar that cannot be judged: {error}", where=name) from None
    return Scanned("tar", data_only=False)
