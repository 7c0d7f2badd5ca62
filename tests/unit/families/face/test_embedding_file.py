"""Files of vectors that are not trusted."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.face.drawn_vectors import NAMES, WHOSE, save, vectors

from penstock.families.face import embedding_file
from penstock.families.face.embedding_file import read_vectors
from penstock.foundation.errors import UsageError


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, ">f8"])
def test_npz(tmp_path: Path, kind) -> None:
    rows = vectors().astype(kind)
    found = read_vectors(save(tmp_path / "a.npz", rows, names=NAMES))
    assert np.array_equal(found.vectors, rows)
    assert found.vectors.dtype.itemsize >= 4
    assert found.identities is not None
    assert found.names is not None
    assert found.identities.tolist() == WHOSE.tolist()
    assert found.names.tolist() == NAMES.tolist()
    assert found.taken(np.array([5, 2])).names.tolist() == [NAMES[5], NAMES[2]]


def test_identities_may_be_numbers(tmp_path: Path) -> None:
    found = read_vectors(save(tmp_path / "a.npz", vectors(), identities=np.arange(90) // 3))
    assert found.identities[3] == "1"


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_npy_has_the_vectors_alone(tmp_path: Path, version: tuple[int, int]) -> None:
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, np.asfortranarray(vectors()), version)
    found = read_vectors(path)
    assert np.array_equal(found.vectors, vectors())
    assert (found.identities, found.names) == (None, None)


def bad(row: int, value: float) -> np.ndarray:
    rows = vectors()
    rows[row] = value
    return rows


def no_text(code: int) -> np.ndarray:
    names = NAMES.copy()
    names.view(np.uint32).reshape(len(names), -1)[2, 0] = code
    return names


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"features": vectors()}, "there is no array 'embeddings', only 'features'"),
        ({"embeddings": vectors()[0]}, "the vectors have the shape (32,) and the type float32"),
        ({"embeddings": np.ones((3, 0), np.float32)}, "the vectors have the shape (3, 0)"),
        ({"embeddings": np.ones((3, 4), np.int64)}, "the vectors have the shape (3, 4) and the type int64"),
        ({"embeddings": np.array([["a"]])}, "the vectors have the shape (1, 1) and the type <U1"),
        ({"embeddings": np.array([[{}]], dtype=object)}, "the vectors have the shape (1, 1) and the type object"),
        ({"embeddings": bad(4, np.nan)}, "the vector in row 4 holds nan"),
        ({"embeddings": bad(4, np.inf), "names": NAMES}, "the vector of 'image 4.png' (row 4) holds inf"),
        ({"embeddings": bad(7, 0)}, "the vector in row 7 is zero throughout"),
        ({"embeddings": vectors(), "identities": WHOSE[1:]}, "'identities' has the shape (89,)"),
        ({"embeddings": vectors(), "identities": np.ones(90)}, "'identities' has the shape (90,) and the type float64"),
        ({"embeddings": vectors(), "identities": np.array(["", *WHOSE[1:]])}, "'identities' has nothing in row 0"),
        ({"embeddings": vectors(), "names": np.array([NAMES[1], *NAMES[1:]])}, "the name 'image 1.png' is there twice"),
        ({"embeddings": vectors(), "names": no_text(0x110000)}, "'names' has no text in row 2"),
        ({"embeddings": vectors(), "identities": no_text(0xFFFFFFFF)}, "'identities' has no text in row 2"),
        ({"embeddings": vectors(), "names": no_text(0xD800)}, "'names' has no text in row 2"),
        ({"embeddings": vectors(), "names": np.array(["n" * 1025, *NAMES[1:]])}, "more than 1,024 characters in a row"),
        ({"embeddings": np.ones((2, 4097), np.float16)}, "each vector has 4,097 values, more than 4,096"),
        ({"embeddings": bad(4, 1).astype(np.float64) * 1e305}, "the vector in row 0 holds"),
    ],
)
def test_what_is_not_vectors(tmp_path: Path, arrays: dict[str, np.ndarray], what: str) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(UsageError) as caught:
        read_vectors(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert what in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"score,same\n", b"\x93NUMPY\x01\x00"])
def test_what_is_no_file_of_arrays(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="this is not a file of vectors"):
        read_vectors(path)


def test_a_header_that_promises_more_than_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (20000, 512)}".ljust(117) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + bytes(64))
    with pytest.raises(UsageError, match="it is not as long as its own header says"):
        read_vectors(path)


def test_what_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding_file, "MAX_BYTES", 1 << 20)
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("embeddings.npy", bytes(3 << 20))
    with pytest.raises(UsageError, match="it unpacks to 3 MiB, more than 1"):
        read_vectors(path)


@pytest.mark.slow
@pytest.mark.parametrize("whose", [{}, {"identities": np.arange(90)}])
@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_too_many_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, whose: dict[str, np.ndarray]
) -> None:
    def unpacked(*_: object, **__: object) -> None:
        raise AssertionError

    path = tmp_path / f"a.{ending}"
    rows = np.lib.stride_tricks.as_strided(np.ones(1, np.float16), (100_000, 512), (0, 0))
    if ending == "npy":
        np.save(path, rows[:20_001])
    else:
        np.savez_compressed(path, embeddings=rows[:20_001], **whose)
    monkeypatch.setattr(np, "load", unpacked)
    monkeypatch.setattr(np.lib.format, "read_array", unpacked)
    with pytest.raises(UsageError, match=r"there are 20,001 vectors. Give at most 20,000"):
        read_vectors(path)


def test_names_of_too_many_are_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.npz", vectors(), names=np.arange(91))
    monkeypatch.setattr(np.lib.format, "read_array", None)
    with pytest.raises(UsageError, match=r"'names' has the shape \(91,\)"):
        read_vectors(path)


@pytest.mark.parametrize("member", ["embeddings.npy", "embeddings"])
def test_a_member_that_is_no_array(tmp_path: Path, member: str) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, b"hello")
    with pytest.raises(UsageError, match=f"this is not a file of vectors: '{member}' is no array"):
        read_vectors(path)


@pytest.mark.slow
def test_a_header_that_is_too_long_is_not_read_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        length = 64 << 20
        archive.writestr("embeddings.npy", b"\x93NUMPY\x02\x00" + struct.pack("<I", length) + b" " * length)
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="it cannot be read: EOF: reading array header"):
            read_vectors(path)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_folder_of_images(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"this is a directory, not a file.*stored vectors, or a folder of images"):
        read_vectors(tmp_path)


def test_a_large_file_that_was_not_pulled(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(UsageError, match="git lfs pull"):
        read_vectors(path)
