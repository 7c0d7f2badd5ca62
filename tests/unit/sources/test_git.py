"""Cloning: real repositories, a real server, real faults."""

import os
import shutil
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.sources.local_clones import local, nothing_left
from tests.unit.sources.source_servers import GIT_ENV, commit, git

from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_tree
from penstock.sources.git import clone
from penstock.sources.tree import LFS_POINTER


def test_tag(repository: Path, tmp_path: Path) -> None:
    result = local(repository, "v1.0.0", tmp_path / "out")
    assert result.commit == git(repository, "rev-parse", "v1.0.0^{commit}")
    assert result.version == "1.0.0"
    assert result.committer_date == "2024-05-01T10:00:00+02:00"
    assert (tmp_path / "out" / "a.txt").read_text() == "one\n"
    shutil.rmtree(tmp_path / "out" / ".git")
    assert result.tree == sha256_tree(tmp_path / "out")


def test_directory_that_is_no_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    with pytest.raises(UsageError, match="not a git repository"):
        local(tmp_path / "plain", "main", tmp_path / "out")


def test_unreachable(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: a connection is refused
        url = f"http://user:hunter2@127.0.0.1:{taken.getsockname()[1]}/x"
        with pytest.raises(WorldError) as caught:
            clone(url, "main", tmp_path / "out", allow_http=True)
    assert "hunter2" not in str(caught.value)
    assert nothing_left(tmp_path / "out")


@pytest.mark.slow
def test_second_clone_is_a_no_op(repository: Path, tmp_path: Path) -> None:
    first = local(repository, "v1.0.0", tmp_path / "out")
    inode = (tmp_path / "out").stat().st_ino
    second = local(repository, "v1.0.0", tmp_path / "out")
    assert (second.commit, second.tree, second.unchanged) == (first.commit, first.tree, True)
    assert (tmp_path / "out").stat().st_ino == inode
    # A full commit that is here needs no server.
    repository.rename(repository.with_name("gone"))
    repository.mkdir()
    assert local(repository, first.commit, tmp_path / "out").unchanged


@pytest.mark.slow
def test_changed_or_other_clone_is_replaced(repository: Path, tmp_path: Path) -> None:
    local(repository, "v1.0.0", tmp_path / "out")
    (tmp_path / "out" / "a.txt").write_text("tampered")
    assert not local(repository, "v1.0.0", tmp_path / "out").unchanged
    assert (tmp_path / "out" / "a.txt").read_text() == "one\n"
    local(repository, "main", tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_text() == "three\n"
    assert not [path for path in tmp_path.iterdir() if ".clone-" in path.name]


def test_foreign_directory_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x")
    with pytest.raises(UsageError, match="not empty"):
        local(repository, "main", tmp_path / "out")
    assert (tmp_path / "out" / "precious").exists()


def test_killed_clone_leaves_nothing_that_counts(repository: Path, tmp_path: Path) -> None:
    leftover = tmp_path / ".out.clone-abc"
    leftover.mkdir()
    (leftover / "half").write_text("x")
    local(repository, "main", tmp_path / "out")
    assert not leftover.exists()


def test_two_clones_do_not_meet(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    with (tmp_path / ".out.clone.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        monkeypatch.setattr("penstock.sources.git.OTHER_CLONE_S", 0.2)
        with pytest.raises(WorldError, match="another clone"):
            local(repository, "main", tmp_path / "out")


def test_a_clone_waits_for_another_one(repository: Path, tmp_path: Path) -> None:
    """A pod that was lost is made anew while the try that it belonged to is repeated: two clones of one run."""
    import fcntl
    import threading

    with (tmp_path / ".out.clone.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        timer = threading.Timer(0.3, lambda: fcntl.flock(lock, fcntl.LOCK_UN))
        timer.start()
        assert local(repository, "main", tmp_path / "out").commit
        timer.join()


def test_lfsconfig_is_refused(repository: Path, tmp_path: Path, fake_lfs: Path) -> None:
    commit(repository, {"w.bin": LFS_POINTER, ".lfsconfig": "[lfs]\nurl=https://elsewhere.example/\n"})
    with pytest.raises(UsageError, match="lfsconfig"):
        local(repository, "main", tmp_path / "out")


@pytest.mark.slow
def test_file_too_large_for_the_disk(repository: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: also users without privileges can set it."""
    commit(repository, {"big.bin": os.urandom(1 << 20)})
    program = (
        "import resource, signal, sys; from pathlib import Path; from penstock.sources.git import clone\n"
        "from penstock.foundation.errors import PenstockError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try: clone(sys.argv[1], 'main', Path(sys.argv[2]), allow_local=True)\n"
        "except PenstockError as error: sys.exit(str(int(error.exit_code)) + ' ' + str(error))\n"
    )
    argv = [sys.executable, "-c", program, str(repository), str(tmp_path / "out")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("4 "), done.stderr
    assert "no space" in done.stderr
    assert nothing_left(tmp_path / "out")


def test_sha256_repository(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.mkdir()
    git(path, "init", "-q", "-b", "main", "--object-format=sha256")
    head = commit(path, {"a": "x"})
    assert local(path, head, tmp_path / "out").commit == head
    assert len(head) == 64


def test_clone_is_readable_and_not_private(repository: Path, tmp_path: Path) -> None:
    local(repository, "main", tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755
    assert GIT_ENV["GIT_COMMITTER_NAME"] == "C"
