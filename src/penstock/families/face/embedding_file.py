"""Stored vectors of images: ``.npz`` or ``.npy``. The file is not trusted."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.media_kinds import IS_LFS_POINTER, LFS_POINTER, PULL
from penstock.metrics.embeddings import vector_fault

EMBEDDINGS, IDENTITIES, NAMES = "embeddings", "identities", "names"
MAX_BYTES = 2 << 30
"""Of the arrays together: a million vectors of 512 float32."""
_NPY = b"\x93NUMPY"
_ADVICE = f"Write it with numpy.savez(FILE, {EMBEDDINGS}=…, {IDENTITIES}=…, {NAMES}=…), or numpy.save(FILE, vectors)."

Array = npt.NDArray[np.generic]


@dataclass(frozen=True)
class StoredVectors:
    """Vectors of images.

    Attributes:
        path: of the file.
        vectors: float (n, d), n ≥ 1, d ≥ 1, finite, none zero.
        identities: text (n,), or ``None``.
        names: text (n,), all different, or ``None``.
    """

    path: Path
    vectors: npt.NDArray[np.floating]
    identities: npt.NDArray[np.str_] | None
    names: npt.NDArray[np.str_] | None

    def taken(self, rows: npt.NDArray[np.intp]) -> StoredVectors:
        """These rows, in this order."""
        identities = None if self.identities is None else self.identities[rows]
        names = None if self.names is None else self.names[rows]
        return StoredVectors(self.path, self.vectors[rows], identities, names)


def read_vectors(path: Path) -> StoredVectors:
    """Read stored vectors.

    Raises:
        UsageError: it is no such file, is too large, or holds something else.
    """
    with open_regular(path, where=str(path)) as file:
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
    if size > MAX_BYTES:
        raise _bad(path, f"it has {size >> 20} MiB, more than {MAX_BYTES >> 20}")
    version = np.lib.format.read_magic(file)
    shape, _, kind = (
        np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    )(file)
    if kind.itemsize * int(np.prod(shape, dtype=object)) != size - file.tell():
        raise _bad(path, "it is not as long as its own header says")
    file.seek(0)
    found: Array = np.load(file, allow_pickle=False)
    return found


def _several(path: Path, file: BinaryIO) -> dict[str, Array]:
    with zipfile.ZipFile(file) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MAX_BYTES:
        raise _bad(path, f"it unpacks to {size >> 20} MiB, more than {MAX_BYTES >> 20}")
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        if EMBEDDINGS not in arrays:
            there = ", ".join(f"'{name[:40]}'" for name in arrays.files[:20]) or "nothing"
            raise _bad(path, f"there is no array '{EMBEDDINGS}', only {there}")
        return {name: arrays[name] for name in (EMBEDDINGS, IDENTITIES, NAMES) if name in arrays}


def _checked(path: Path, arrays: dict[str, Array]) -> StoredVectors:
    vectors = arrays[EMBEDDINGS]
    if vectors.ndim != 2 or vectors.dtype.kind != "f" or not vectors.size:
        raise _bad(path, f"the vectors have the shape {vectors.shape} and the type {vectors.dtype}, not float (n, d)")
    if vectors.dtype.itemsize > 8:
        vectors = vectors.astype(np.float64)
    floats: npt.NDArray[np.floating] = vectors.astype(np.promote_types(vectors.dtype, np.float32))
    names = _texts(path, arrays, NAMES, len(floats))
    if (fault := vector_fault(floats)) is not None:
        row, why = fault
        which = f"the vector in row {row}" if names is None else f"the vector of '{names[row]}' (row {row})"
        raise UsageError(f"{which} {why}", where=str(path), todo="Rows count from 0. A vector must have a direction.")
    if names is not None and len(unique := np.unique(names, return_counts=True)[1]) < len(names):
        twice = np.unique(names)[int(np.argmax(unique > 1))]
        raise UsageError(f"the name '{twice}' is there twice", where=str(path), todo="Name each image once.")
    return StoredVectors(path, floats, _texts(path, arrays, IDENTITIES, len(floats)), names)


def _texts(path: Path, arrays: dict[str, Array], name: str, count: int) -> npt.NDArray[np.str_] | None:
    if (array := arrays.get(name)) is None:
        return None
    if array.shape != (count,) or array.dtype.kind not in "iuU":
        what = (
            f"'{name}' has the shape {array.shape} and the type {array.dtype}, not ({count},) of text or whole numbers"
        )
        raise _bad(path, what)
    texts = array.astype(np.str_)
    if (texts == "").any():
        row = int(np.argmax(texts == ""))
        raise UsageError(f"'{name}' has nothing in row {row}", where=str(path), todo="Rows count from 0.")
    return texts


def _bad(path: Path, why: str) -> UsageError:
    return UsageError(f"this is not a file of vectors: {why}", where=str(path), todo=_ADVICE)
