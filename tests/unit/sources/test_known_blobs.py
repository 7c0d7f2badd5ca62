from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock.sources.known_blobs import known_blobs

NAME = "blob-info-cache-v1.boltdb"


@pytest.fixture(autouse=True)
def _root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_what_one_build_learned_is_known_to_the_next(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with known_blobs(cache, place=tmp_path / "first"):
        (tmp_path / "first").mkdir()
        (tmp_path / "first" / NAME).write_bytes(b"one")
        (tmp_path / "first" / "other").write_bytes(b"not ours")
    with known_blobs(cache, place=tmp_path / "second"):
        assert [path.name for path in (tmp_path / "second").iterdir()] == [NAME]
        (tmp_path / "second" / NAME).write_bytes(b"two")
    with known_blobs(cache, place=tmp_path / "third"):
        assert (tmp_path / "third" / NAME).read_bytes() == b"two"


def test_a_record_that_the_machine_keeps_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / NAME).write_bytes(b"the machine's")
    with known_blobs(tmp_path / "cache", place=place):
        assert (place / NAME).read_bytes() == b"the machine's"
    assert not (tmp_path / "cache").exists()


def test_a_failed_build_leaves_the_record_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "place"

    def build() -> None:
        with known_blobs(tmp_path / "cache", place=place):
            place.mkdir()
            (place / NAME).write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        build()
    assert not (tmp_path / "cache").exists()


def test_without_a_cache_or_as_another_user_nothing_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    with known_blobs(None, place=place):
        place.mkdir()
        (place / NAME).write_bytes(b"one")
    (place / NAME).unlink()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with known_blobs(tmp_path / "cache", place=place):
        (place / NAME).write_bytes(b"two")
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    blocked = tmp_path / "cache"
    blocked.write_bytes(b"a file, not a directory")
    place = tmp_path / "place"
    with known_blobs(blocked, place=place):
        place.mkdir()
        (place / NAME).write_bytes(b"one")
    assert blocked.is_file()
