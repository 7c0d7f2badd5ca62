"""Which commits lie between two revisions, of real repositories."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.unit.sources.source_servers import GitServer, commit, git, git_handler, new_repository

from penstock.bisect.commits import Commit, CommitHistory, open_history, repository_root
from penstock.foundation.errors import UsageError, WorldError

ESCAPE = "\x1b]0;owned\x07"


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Commits 0 to 5 on main; a branch from 1 that is merged as 4; a branch 'aside' from 0. Tests only read it."""
    repository = new_repository(tmp_path_factory.mktemp("history") / "model with spaces")
    for number in range(2):
        commit(repository, {"n": f"{number}"}, f"commit {number}")
    git(repository, "tag", "-a", "v1", "-m", "annotated")
    git(repository, "checkout", "-q", "-b", "topic")
    commit(repository, {"topic": "1"}, "topic one")
    git(repository, "tag", "on-topic")
    commit(repository, {"topic": "2"}, "topic two")
    git(repository, "checkout", "-q", "main")
    for number in (2, 3):
        commit(repository, {"n": f"{number}"}, f"commit {number}")
    git(repository, "merge", "-q", "--no-ff", "-m", "commit 4", "topic")
    commit(repository, {"n": "5"}, f"commit 5 {ESCAPE} $(touch /tmp/x)\n\nbody")
    git(repository, "branch", "aside", "main~5")
    git(repository, "checkout", "-q", "aside")
    commit(repository, {"aside": "1"}, "aside")
    git(repository, "checkout", "-q", "main")
    return repository


@pytest.fixture
def own(repository: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(repository, tmp_path / "own"))


@pytest.fixture
def history(repository: Path, tmp_path: Path) -> Iterator[CommitHistory]:
    with open_history(str(repository), tmp_path / "history", allow_local=True) as found:
        yield found


def row(history: CommitHistory, good: str, bad: str) -> list[Commit]:
    return history.between(history.commit(good, "--good"), history.commit(bad, "--bad"))


@pytest.mark.slow
def test_first_parents_oldest_first(history: CommitHistory, repository: Path) -> None:
    found = row(history, "v1", "main")
    assert [commit.subject[:8] for commit in found] == ["commit 1", "commit 2", "commit 3", "commit 4", "commit 5"]
    assert found[-1].hash == git(repository, "rev-parse", "HEAD")
    assert len(found[3].parents) == 2
    assert (found[0].author, found[0].email, found[0].date) == ("A", "a@example.org", "2024-05-01T10:00:00+02:00")
    assert found[-1].subject == f"commit 5 {ESCAPE} $(touch /tmp/x)"


def test_nothing_is_copied_of_a_repository_on_this_machine(history: CommitHistory, tmp_path: Path) -> None:
    row(history, "v1", "main")
    assert not [path for path in (tmp_path / "history" / "objects").glob("*/*") if path.name != "alternates"]


def test_good_on_a_branch_that_was_merged(history: CommitHistory) -> None:
    assert [commit.subject[:8] for commit in row(history, "on-topic", "main")] == ["topic on", "commit 4", "commit 5"]


@pytest.mark.parametrize(
    "revision", ["main", "HEAD", "refs/heads/main", "main~0", "on-topic~1^", "v1~1", "main^2", "main^", "SHORT", "FULL"]
)
def test_revisions(history: CommitHistory, repository: Path, revision: str) -> None:
    full = git(repository, "rev-parse", "main")
    revision = {"SHORT": full[:9], "FULL": full}.get(revision, revision)
    if revision == "main^2":  # its first parent is the merge
        with pytest.raises(UsageError, match="no commit 'main\\^2'"):
            history.commit(revision, "--bad")
        return
    assert history.commit(revision, "--bad").hash == git(repository, "rev-parse", f"{revision}^{{commit}}")


@pytest.mark.parametrize(
    "revision",
    [
        "",
        "--upload-pack=touch /tmp/owned",
        "-x",
        "main..v1",
        "a b",
        "main:penstock.yaml",
        "main^{tree}",
        "main@{1}",
        "main~1;id",
        "^main",
        "~",
        "\x1b[2J",
        "main~1\n",
        "x" * 300,
    ],
)
def test_hostile_revisions_are_refused_before_git_sees_them(history: CommitHistory, revision: str) -> None:
    with pytest.raises(UsageError) as raised:
        history.commit(revision, "--good")
    assert "--good" in str(raised.value)
    assert "\x1b" not in str(raised.value)


def test_unknown_revisions(history: CommitHistory) -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'main'"):
        history.commit("mains", "--bad")
    with pytest.raises(UsageError, match="no commit 'deadbeef' on a branch or tag"):
        history.commit("deadbeef", "--bad")
    with pytest.raises(UsageError, match="no commit 'main~99'"):
        history.commit("main~99", "--bad")


@pytest.mark.slow
def test_good_must_be_an_ancestor(history: CommitHistory) -> None:
    with pytest.raises(UsageError, match="swap --good and --bad"):
        row(history, "main", "v1")
    with pytest.raises(UsageError, match="merge base"):
        row(history, "aside", "main")
    with pytest.raises(UsageError, match="the same commit"):
        row(history, "main", "HEAD")


@pytest.mark.slow
def test_new_commits_are_seen_the_next_time(own: Path, tmp_path: Path) -> None:
    for number in range(2):
        commit(own, {"n": f"again {number}"}, f"again {number}")
        with open_history(str(own), tmp_path / "kept", allow_local=True) as history:
            assert history.commit("main", "--bad").subject == f"again {number}"


@pytest.mark.slow
def test_a_server_of_a_shallow_repository_with_a_password(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", f"file://{repository}", "whole.git")
    git(tmp_path, "clone", "-q", "--bare", "--depth=2", f"file://{repository}", "part.git")
    secret = tmp_path / "basic-auth"
    secret.mkdir()
    (secret / "username").write_text("ann", encoding="utf-8")
    (secret / "password").write_text("hunter2", encoding="utf-8")
    server = GitServer("")
    http = ThreadingHTTPServer(("127.0.0.1", 0), git_handler(tmp_path, "ann:hunter2", server))
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{http.server_port}"
    try:
        for _ in range(2):  # the second time over what the first one fetched
            with open_history(f"{url}/whole.git", tmp_path / "kept", allow_http=True, credentials=secret) as history:
                assert len(row(history, "v1", "HEAD")) == 5
        with (
            open_history(f"{url}/part.git", tmp_path / "part", allow_http=True, credentials=secret) as history,
            pytest.raises(UsageError, match="git fetch --unshallow"),
        ):
            history.commit("main~4", "--good")
        with (
            open_history(f"{url}/whole.git", tmp_path / "none", allow_http=True) as history,
            pytest.raises(WorldError, match="credentials"),
        ):
            history.commit("main", "--bad")
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def test_a_shallow_repository_says_so(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{repository}", "shallow")
    with (
        open_history(str(tmp_path / "shallow"), tmp_path / "history", allow_local=True) as history,
        pytest.raises(UsageError, match="git fetch --unshallow"),
    ):
        history.commit("main~4", "--good")


def test_hostile_configuration_of_a_repository_is_not_read(own: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "log.showSignature", "uploadpack.packObjectsHook"):
        git(own, "config", name, f"touch {trap}; false")
    with open_history(str(own), tmp_path / "history", allow_local=True) as history:
        assert len(row(history, "v1", "main")) == 5
    assert not trap.exists()


def test_the_repository_around_a_path(own: Path, tmp_path: Path) -> None:
    (own / "deep" / "er").mkdir(parents=True)
    assert repository_root(own / "deep" / "er") == own
    assert repository_root(own) == own
    git(tmp_path, "clone", "-q", "--bare", str(own), "bare.git")
    assert repository_root(tmp_path / "bare.git") == tmp_path / "bare.git"
