"""How much a service keeps on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.invocation import kept_files as module
from penstock.invocation.kept_files import kept_files


@pytest.fixture
def handle(tmp_path: Path) -> Iterator[int]:
    folder = tmp_path / "scratch"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_what_is_written_counts_and_what_is_removed_does_not(tmp_path: Path, handle: int) -> None:
    read = kept_files(handle)
    assert read() == 0
    (tmp_path / "scratch/tmp/deeper").mkdir(parents=True)
    (tmp_path / "scratch/tmp/deeper/log").write_bytes(os.urandom(3 << 20))
    (tmp_path / "scratch/one").write_bytes(os.urandom(1 << 20))
    assert read() == pytest.approx(4, abs=0.1)
    (tmp_path / "scratch/tmp/deeper/log").unlink()
    assert read() == pytest.approx(1, abs=0.1)


def test_a_hole_takes_nothing(tmp_path: Path, handle: int) -> None:
    with (tmp_path / "scratch/sparse").open("wb") as file:
        file.truncate(1 << 40)
    assert (kept_files(handle)() or 0.0) < 1


def test_nothing_outside_counts(tmp_path: Path, handle: int) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/large").write_bytes(os.urandom(2 << 20))
    (tmp_path / "scratch/folder").symlink_to(tmp_path / "outside")
    (tmp_path / "scratch/file").symlink_to(tmp_path / "outside/large")
    assert (kept_files(handle)() or 0.0) < 0.1


def test_the_folder_counts_wherever_it_is_by_then(tmp_path: Path, handle: int) -> None:
    (tmp_path / "scratch/one").write_bytes(os.urandom(1 << 20))
    (tmp_path / "scratch").rename(tmp_path / "moved")
    (tmp_path / "scratch").mkdir()
    assert kept_files(handle)() == pytest.approx(1, abs=0.1)


def test_too_many_are_not_counted(tmp_path: Path, handle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 4)
    for number in range(4):
        (tmp_path / f"scratch/{number}").touch()
    assert kept_files(handle)() == 0
    (tmp_path / "scratch/folder").mkdir()
    assert kept_files(handle)() is None
