"""What is reached through a handle lies below it; whatever stands there can be removed, and nothing else is."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.foundation.trees import deep

from penstock.foundation.handles import Folder, NotPlainError, discard_tree, remove_tree

NOBODY = 65534


@pytest.fixture
def of_an_ordinary_user() -> Iterator[Path]:
    """A directory of a user to whom permissions apply, as they do not to root; within, this process is that user."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-test-"))
    root = os.geteuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    yield folder
    if root:
        os.seteuid(0)
    remove_tree(folder)


def test_a_handle_is_of_the_directory_and_not_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "call").mkdir()
    (tmp_path / "call" / "out").write_text("own")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "out").write_text("other")
    with Folder.at(tmp_path / "call") as folder:
        (tmp_path / "call").rename(tmp_path / "away")
        (tmp_path / "call").symlink_to("other")
        with folder.open("out") as file:
            assert file.read() == b"own"
    assert folder.descriptor == -1


@pytest.mark.parametrize("path", ["link", "link/out", "d/loop", "d/pipe", "d/socket", "d", "d/out/x", "../x", "/etc"])
def test_only_plain_files_on_plain_ways_are_opened(tmp_path: Path, path: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "out").write_text("own")
    (tmp_path / "link").symlink_to("d")
    (tmp_path / "d" / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "d" / "pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "d" / "socket"))
    with Folder.at(tmp_path) as folder, pytest.raises(NotPlainError):
        folder.open(path)


def test_everything_is_walked_in_order_with_a_handful_of_descriptors(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a", "c/d/e", "skipped/x", "b/skipped/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "c" / "link").symlink_to(tmp_path)
    before = set(Path("/proc/self/fd").iterdir())
    with Folder.at(tmp_path) as folder:
        found = [path for path, _ in folder.walk(skip=frozenset({"skipped"}))]
    assert found == ["a", "b/1", "b/2", "c/d/e", "c/link"]
    assert set(Path("/proc/self/fd").iterdir()) == before


def test_folders_that_are_closed_to_their_owner_are_removed(of_an_ordinary_user: Path) -> None:
    top = of_an_ordinary_user / "top"
    (top / "a" / "b" / "c").mkdir(parents=True)
    (top / "a" / "b" / "c" / "file").touch()
    for path in (top / "a" / "b" / "c", top / "a" / "b", top / "a", top):
        path.chmod(0)
    remove_tree(top)
    assert list(of_an_ordinary_user.iterdir()) == []


def test_what_links_lead_to_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir(mode=0o500)
    (tmp_path / "precious" / "file").touch()
    (tmp_path / "top" / "inner").mkdir(parents=True)
    for link in ("top/link", "top/inner/link", "alone"):
        (tmp_path / link).symlink_to(tmp_path / "precious")
    for name in ("top", "alone", "none", "none/at/all"):
        remove_tree(tmp_path / name)
    assert [path.name for path in tmp_path.rglob("*")] == ["precious", "file"]
    assert (tmp_path / "precious").stat().st_mode & 0o777 == 0o500


@pytest.mark.slow
def test_nesting_is_no_way_to_stay(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    deep(tmp_path / "top", 3000)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "top" / "socket"))
    os.mkfifo(tmp_path / "top" / "pipe")
    discard_tree(tmp_path / "top")
    assert list(tmp_path.iterdir()) == []
