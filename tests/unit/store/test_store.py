"""Both kinds of store, with the same tests; then what only one of them can suffer."""

import hashlib
from pathlib import Path

import pytest
from tests.unit.store.contested_key import contest

from penstock.foundation.errors import UsageError, WorldError
from penstock.store.local import LocalStore
from penstock.store.open import open_store
from penstock.store.store import DamagedError, NotStoredError, Store


def file(path: Path, content: bytes) -> tuple[Path, str]:
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_put_get(store: Store, tmp_path: Path) -> None:
    path, digest = file(tmp_path / "a", b"content")
    assert store.put_file("runs/m/r/größe.bin", path, digest)
    assert not store.put_file("runs/m/r/größe.bin", path, digest)
    assert store.digest("runs/m/r/größe.bin") == digest
    assert store.get_file("runs/m/r/größe.bin", tmp_path / "back", digest) == digest
    assert (tmp_path / "back").read_bytes() == b"content"
    assert store.exists("runs/m/r/größe.bin")
    assert not store.exists("runs/m/r/other")


def test_evidence_is_never_replaced(store: Store, tmp_path: Path) -> None:
    store.put_file("k", *file(tmp_path / "a", b"one"))
    with pytest.raises(WorldError, match="never replaced"):
        store.put_file("k", *file(tmp_path / "b", b"two"))
    store.get_file("k", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"one"


def test_many_at_once_one_wins(tmp_path: Path) -> None:
    """On S3 the server decides: tests/cluster/test_object_store.py asks a real one. Moto checks, then writes."""
    contest(LocalStore(tmp_path / "store"), tmp_path)


def test_file_that_changes_on_the_way(store: Store, tmp_path: Path) -> None:
    path, _ = file(tmp_path / "a", b"now")
    with pytest.raises(WorldError, match="changed"):
        store.put_file("k", path, hashlib.sha256(b"before").hexdigest())
    assert not store.exists("k")


def test_missing_and_damaged(store: Store, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="no such object"):
        store.get_file("k", tmp_path / "x")
    store.put_file("k", *file(tmp_path / "a", b"one"))
    with pytest.raises(WorldError, match="SHA-256"):
        store.get_file("k", tmp_path / "x", "0" * 64)
    assert not (tmp_path / "x").exists()


def test_list(store: Store, tmp_path: Path) -> None:
    path, digest = file(tmp_path / "a", b"12345")
    for key in ("runs/m/b", "runs/m/a/x", "runs/mm/c", "published/m.json"):
        store.put_file(key, path, digest)
    assert [(entry.key, entry.bytes) for entry in store.list("runs/m")] == [("runs/m/a/x", 5), ("runs/m/b", 5)]
    assert len(list(store.list(""))) == 4
    assert list(store.list("absent")) == []


def test_pointer_moves_only_from_what_was_seen(store: Store) -> None:
    key = "baselines/m.json"
    assert store.read_pointer(key) is None
    assert store.swap_pointer(key, {"run_id": "a"}, seen=None)
    first = store.read_pointer(key)
    assert not store.swap_pointer(key, {"run_id": "b"}, seen=None)
    assert store.swap_pointer(key, {"run_id": "ü"}, seen=first)
    assert not store.swap_pointer(key, {"run_id": "b"}, seen=first)
    assert not store.swap_pointer("baselines/gone.json", {"run_id": "b"}, seen=first)
    assert store.get_pointer(key) == {"run_id": "ü"}
    assert [entry.key for entry in store.list("baselines")] == [key]
    with pytest.raises(UsageError, match="larger"):
        store.swap_pointer("big", {"x": "y" * (2 << 20)}, seen=None)


def test_pointer_that_is_none(store: Store, tmp_path: Path) -> None:
    store.put_file("p", *file(tmp_path / "a", b"[1]"))
    with pytest.raises(WorldError, match="no JSON object"):
        store.get_pointer("p")


@pytest.mark.parametrize("key", ["", "/a", "a/", "../a", "a/../b", "a//b", "./a", "a\nb", "a\\b", "x" * 1000])
def test_keys_stay_inside(store: Store, tmp_path: Path, key: str) -> None:
    path, digest = file(tmp_path / "a", b"x")
    with pytest.raises(UsageError):
        store.put_file(key, path, digest)
    with pytest.raises(UsageError):
        store.get_pointer(key)


@pytest.mark.parametrize("location", ["", " ", "ftp://x", "gs://bucket/x", "s3://", "s3://bad_/x", "s3://bucket/../x"])
def test_bad_locations(location: str) -> None:
    with pytest.raises(UsageError):
        open_store(location)


# the local one


def test_open_local(tmp_path: Path) -> None:
    assert isinstance(open_store(tmp_path / "new" / "store"), LocalStore)
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorldError):
        open_store(tmp_path / "file")


def test_names_right_below(store: Store, tmp_path: Path) -> None:
    for key in ("runs/m/a/x", "runs/m/b", "runs/n/c/y/z", "runs/m/a/w"):
        store.put_file(key, *file(tmp_path / "o", b"x"))
    assert list(store.names("runs")) == ["m", "n"]
    assert list(store.names("runs/m")) == ["a", "b"]
    assert list(store.names("")) == ["runs"]
    assert list(store.names("absent")) == []
    with pytest.raises(UsageError):
        store.names("../other")


def test_parts_of_an_object(store: Store, tmp_path: Path) -> None:
    store.put_file("runs/m/a", *file(tmp_path / "o", b"0123456789"))
    assert store.size("runs/m/a") == 10
    assert store.size("runs/m/absent") is None
    assert b"".join(store.read_range("runs/m/a", 2, 3)) == b"234"
    assert b"".join(store.read_range("runs/m/a", 8, 100)) == b"89"
    assert b"".join(store.read_range("runs/m/a", 10, 5)) == b""
    assert b"".join(store.read_range("runs/m/a", 0, 0)) == b""
    with pytest.raises(NotStoredError):
        list(store.read_range("runs/m/absent", 0, 1))
    with pytest.raises(UsageError):
        list(store.read_range("../a", 0, 1))
    assert store.read("runs/m/a", 10) == b"0123456789"
    with pytest.raises(DamagedError, match="larger"):
        store.read("runs/m/a", 9)
