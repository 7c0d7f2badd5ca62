"""A store in a directory: its probe, and what breaks on the way."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import resource
import shutil
import signal
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.foundation.errors import WorldError
from penstock.store.local import LocalStore
from penstock.store.store import NotStoredError


def test_a_directory_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path / "store")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("penstock.store.local.tempfile.mkstemp", refuse)
    with pytest.raises(WorldError, match="cannot write: read-only file system"):
        store.probe("run-1")


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(WorldError, match="lacks what Penstock needs: hard links and flock"):
        LocalStore(tmp_path / "store").probe("run-1")
    assert list((tmp_path / "store").iterdir()) == []


def test_a_disk_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 0, 300 << 20))
    store = LocalStore(tmp_path / "store")
    store.probe("run-1", need_bytes=299 << 20)
    with pytest.raises(WorldError, match="the store has 300 MiB free, and this run needs about 401 MiB"):
        store.probe("run-1", need_bytes=(400 << 20) + 1)


def file(path: Path, content: bytes) -> tuple[Path, str]:
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_what_a_killed_writer_of_a_pointer_left_goes_with_the_next(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    if (child := os.fork()) == 0:  # dies where the content is written and not yet in place
        try:
            os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
            store.swap_pointer("baselines/mini.json", {"run_id": "a"}, seen=None)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    folder = store.directory / "baselines"
    assert len(list(folder.glob(".mini.json.tmp-*"))) == 1
    (folder / ".mini.json2.json.tmp-x").write_text("another pointer's")
    assert store.swap_pointer("baselines/mini.json", {"run_id": "b"}, seen=None)
    assert sorted(left.name for left in folder.iterdir()) == [".mini.json.lock", ".mini.json2.json.tmp-x", "mini.json"]


def test_killed_upload_is_not_seen(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    (tmp_path / "store" / "runs").mkdir()
    (tmp_path / "store" / "runs" / ".incoming-abc").write_bytes(b"half")
    assert list(store.list("runs")) == []


@contextlib.contextmanager
def small_disk() -> Iterator[None]:
    """No file may grow beyond 4 KiB: the system call fails as on a full disk, also for users without privileges.

    No fixture: pytest writes between a test and the end of its fixtures, maybe into a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_full_disk(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    path, digest = file(tmp_path / "a", os.urandom(100_000))
    store.put_file("there", path, digest)
    with small_disk(), pytest.raises(WorldError, match="no space"):
        store.put_file("k", path, digest)
    with small_disk(), pytest.raises(WorldError, match="no space"):
        store.get_file("there", tmp_path / "back", digest)
    assert not store.exists("k")
    assert [entry.name for entry in (tmp_path / "store").iterdir()] == ["there"]
    assert not (tmp_path / "back").exists()


def test_reading_in_parts_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    store = LocalStore(tmp_path / "store")
    (store.directory / "runs").mkdir()
    (store.directory / "runs" / "file").symlink_to(tmp_path / "secret")
    (store.directory / "runs" / "folder").symlink_to(tmp_path)
    for key in ("runs/file", "runs/folder/secret"):
        assert store.size(key) is None
        with pytest.raises(NotStoredError):
            store.read(key, 100)
    assert list(store.names("runs/folder")) == []


def test_a_store_that_is_gone_is_not_an_empty_one(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    store.directory.rmdir()
    with pytest.raises(WorldError, match="the store cannot be read"):
        store.names("")
    with pytest.raises(WorldError, match="the store cannot be read"):
        store.size("runs/m")
