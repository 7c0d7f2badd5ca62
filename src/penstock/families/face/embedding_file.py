"""Stored vectors of images: ``.npz`` or ``.npy``. The file is not trusted."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.media_kinds import IS_LFS_POINTER, LFS_POINTER, PULL
from penstock.metrics.embeddings import MOST_VECTORS, vector_fault

EMBEDDINGS, IDENTITIES, NAMES = "embeddings", "identities", "names"
MAX_BYTES = 2 << 30
"""Of the arrays together."""
MOST_VALUES = 4096
"""Of one vector."""
MOST_CHARACTERS = 1024
"""Of one name."""
_HEADER_BYTES = 1 << 14
"""NumPy refuses a header of more than 10,000; what comes before an array is never read as a whole."""
_MOST_CODE = 0x10FFFF
_SURROGATES = 0xD800, 0xDFFF
_NPY = b"\x93NUMPY"
_ENDING = ".npy"
_NO_IMAGES = "Give a file of stored vectors, or a folder of images and with --url the service that answers to them."
_ADVICE = f"Write it with numpy.savez(FILE, {EMBEDDINGS}=…, {IDENTITIES}=…, {NAMES}=…), or numpy.save(FILE, vectors)."

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class StoredVectors:
    """Vectors of images.

    Attributes:
        path: of the file, or of the folder of images.
        vectors: float (n, d), n ≥ 1, d ≥ 1, finite, none zero.
        identities: text (n,), or ``None``.
        names: text (n,), all different, or ``None``.
        failures: of images without a vector: name → why. What stands in its place among ``vectors`` does not matter.
    """

    path: Path
    vectors: npt.NDArray[np.floating]
    identities: npt.NDArray[np.str_] | None
    names: npt.NDArray[np.str_] | None
    failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Which have no vector: bool (n,)."""
        if self.names is None:
            return np.zeros(len(self.vectors), np.bool_)
        return np.array([str(name) in self.failures for name in self.names], np.bool_)

    def taken(self, rows: npt.NDArray[np.intp]) -> StoredVectors:
        """These rows, in this order."""
        identities = None if self.identities is None else self.identities[rows]
        names = None if self.names is None else self.names[rows]
        return StoredVectors(self.path, self.vectors[rows], identities, names, self.failures)


def read_vectors(path: Path) -> StoredVectors:
    """Read stored vectors. What each array is to be is known from its header before it is unpacked.

    Raises:
        UsageError: it is no such file, is too large, has too many vectors, or holds something else.
    """
    with open_regular(path, where=str(path), todo=_NO_IMAGES) as file:
        head = file.read(max(len(LFS_POINTER), len(_NPY)))
        if not head:
            raise _bad(path, "the file is empty")
        if head.startswith(LFS_POINTER):
            raise UsageError(IS_LFS_POINTER, where=str(path), todo=PULL)
        file.seek(0)
        try:
            arrays = {EMBEDDINGS: _single(path, file)} if head.startswith(_NPY) else _several(path, file)
        except UsageError:
            raise
        except Exception as error:  # zipfile, zlib and NumPy raise a dozen kinds for a damaged file
            raise _bad(path, f"it cannot be read: {' '.join(str(error).split())[:200]}") from error
    return _checked(path, arrays)


def _single(path: Path, file: BinaryIO) -> Array:
    size = file.seek(0, 2)
    file.seek(0)
    shape, kind, begin = _header(file.read(_HEADER_BYTES))
    _check_vectors(path, shape, kind)
    if kind.itemsize * shape[0] * shape[1] != size - begin:
        raise _bad(path, "it is not as long as its own header says")
    file.seek(0)
    found: Array = np.load(file, allow_pickle=False)
    return found


def _several(path: Path, file: BinaryIO) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        entries = {entry.filename.removesuffix(_ENDING): entry for entry in archive.infolist()}
        size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise _bad(path, f"it unpacks to {size >> 20} MiB, more than {MAX_BYTES >> 20}")
        if EMBEDDINGS not in entries:
            there = ", ".join(f"'{name[:40]}'" for name in list(entries)[:20]) or "nothing"
            raise _bad(path, f"there is no array '{EMBEDDINGS}', only {there}")
        wanted = [name for name in (EMBEDDINGS, IDENTITIES, NAMES) if name in entries]
        count = 0
        for name in wanted:
            with archive.open(entries[name]) as member:
                if not (head := member.read(_HEADER_BYTES)).startswith(_NPY):
                    raise _bad(path, f"'{entries[name].filename}' is no array")
            shape, kind, _ = _header(head)
            if name == EMBEDDINGS:
                count = _check_vectors(path, shape, kind)
            else:
                _check_texts(path, name, shape, kind, count)
        found: dict[str, Array] = {}
        for name in wanted:
            with archive.open(entries[name]) as member:
                found[name] = np.lib.format.read_array(member, allow_pickle=False)
    return found


def _header(head: bytes) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    """Shape and type of an array, and where its values begin, from its first bytes."""
    file = io.BytesIO(head)
    version = np.lib.format.read_magic(file)
    shape, _, kind = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )(file)
    return shape, kind, file.tell()


def _check_vectors(path: Path, shape: tuple[int, ...], kind: np.dtype[Any]) -> int:
    """How many vectors there are."""
    if len(shape) != 2 or kind.kind != "f" or min(shape) < 1:
        raise _bad(path, f"the vectors have the shape {shape} and the type {kind}, not float (n, d)")
    count, values = shape
    if count > MOST_VECTORS:
        todo = f"Give at most {MOST_VECTORS:,}: those of all images of some of the people."
        raise UsageError(f"there are {count:,} vectors", where=str(path), todo=todo)
    if values > MOST_VALUES:
        raise _bad(path, f"each vector has {values:,} values, more than {MOST_VALUES:,}")
    return count


def _check_texts(path: Path, name: str, shape: tuple[int, ...], kind: np.dtype[Any], count: int) -> None:
    if shape != (count,) or kind.kind not in "iuU":
        raise _bad(path, f"'{name}' has the shape {shape} and the type {kind}, not ({count},) of text or whole numbers")
    if kind.itemsize > MOST_CHARACTERS * np.dtype("U1").itemsize:
        raise _bad(path, f"'{name}' has more than {MOST_CHARACTERS:,} characters in a row")


def _checked(path: Path, arrays: dict[str, Array]) -> StoredVectors:
    vectors = arrays[EMBEDDINGS]
    if vectors.dtype.itemsize > 8:
        vectors = vectors.astype(np.float64)
    floats: npt.NDArray[np.floating] = vectors.astype(np.promote_types(vectors.dtype, np.float32), copy=False)
    names = _texts(path, arrays, NAMES)
    if (fault := vector_fault(floats)) is not None:
        row, why = fault
        which = f"the vector in row {row}" if names is None else f"the vector of '{names[row]}' (row {row})"
        raise UsageError(f"{which} {why}", where=str(path), todo="Rows count from 0. A vector must have a direction.")
    if names is not None and len(unique := np.unique(names, return_counts=True)[1]) < len(names):
        twice = np.unique(names)[int(np.argmax(unique > 1))]
        raise UsageError(f"the name '{twice}' is there twice", where=str(path), todo="Name each image once.")
    return StoredVectors(path, floats, _texts(path, arrays, IDENTITIES), names)


def _texts(path: Path, arrays: dict[str, Array], name: str) -> npt.NDArray[np.str_] | None:
    if (array := arrays.get(name)) is None:
        return None
    texts = np.ascontiguousarray(array.astype(np.str_))
    rows = "Rows count from 0."
    if (empty := texts == "").any():
        raise UsageError(f"'{name}' has nothing in row {int(np.argmax(empty))}", where=str(path), todo=rows)
    codes = texts.view(np.uint32).reshape(len(texts), -1)
    unknown = (codes > _MOST_CODE) | ((codes >= _SURROGATES[0]) & (codes <= _SURROGATES[1]))
    if (bad := unknown.any(axis=1)).any():
        raise UsageError(f"'{name}' has no text in row {int(np.argmax(bad))}", where=str(path), todo=rows)
    return texts


def _bad(path: Path, why: str) -> UsageError:
    return UsageError(f"this is not a file of vectors: {why}", where=str(path), todo=_ADVICE)
