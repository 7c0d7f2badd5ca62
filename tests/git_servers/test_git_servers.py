"""Cloning from servers: submodules, http with credentials, ssh."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.sources.local_clones import local, nothing_left
from tests.unit.sources.source_servers import GitServer, commit, git, new_repository

from penstock.foundation.errors import UsageError, WorldError
from penstock.sources.git import clone

Serve = Callable[..., GitServer]


# submodules


@pytest.fixture
def with_submodule(repository: Path) -> Path:
    other = new_repository(repository.parent / "other")
    commit(other, {"s.txt": "sub\n"})
    git(repository, "-c", "protocol.file.allow=always", "submodule", "add", "-q", "../other", "sub")
    commit(repository, {"c": "x"})
    return repository


def test_submodule(with_submodule: Path, tmp_path: Path) -> None:
    whole = local(with_submodule, "main", tmp_path / "out")
    assert (tmp_path / "out" / "sub" / "s.txt").read_text() == "sub\n"
    without = local(with_submodule, "main", tmp_path / "out2", submodules=False)
    assert not any((tmp_path / "out2" / "sub").iterdir())
    assert whole.tree != without.tree


@pytest.mark.parametrize("url", ["file:///etc", "../../outside", "ext::touch pwned", "/etc", "../missing"])
def test_submodule_that_points_outside(with_submodule: Path, tmp_path: Path, url: str) -> None:
    git(with_submodule, "config", "--file", ".gitmodules", "submodule.sub.url", url)
    commit(with_submodule, {"d": "x"})
    with pytest.raises(UsageError, match="submodule 'sub'"):
        local(with_submodule, "main", tmp_path / "out")
    assert nothing_left(tmp_path / "out")


def test_submodule_commit_that_is_not_there(with_submodule: Path, tmp_path: Path) -> None:
    git(with_submodule, "update-index", "--cacheinfo", f"160000,{'a' * 40},sub")
    git(with_submodule, "commit", "-q", "-m", "x")
    with pytest.raises(UsageError, match="no branch, tag or commit") as caught:
        local(with_submodule, "main", tmp_path / "out")
    assert "submodule 'sub'" in caught.value.where


def test_submodule_option_as_address_is_refused(with_submodule: Path, tmp_path: Path) -> None:
    git(with_submodule, "config", "--file", ".gitmodules", "submodule.sub.url", "-u./payload")
    commit(with_submodule, {"d": "x"})
    with pytest.raises(UsageError):  # git's own check of .gitmodules, or ours
        local(with_submodule, "main", tmp_path / "out")


def test_submodule_without_address(with_submodule: Path, tmp_path: Path) -> None:
    git(with_submodule, "rm", "-q", "--cached", ".gitmodules")
    (with_submodule / ".gitmodules").unlink()
    git(with_submodule, "commit", "-q", "-m", "x")
    with pytest.raises(UsageError, match="has no address"):
        local(with_submodule, "main", tmp_path / "out")


# a server


def test_http(repository: Path, tmp_path: Path, serve_git: Serve) -> None:
    server = serve_git(repository.parent)
    result = clone(f"{server.url}/model", "v1.0.0", tmp_path / "out", allow_http=True)
    assert (result.url, result.version) == (f"{server.url}/model", "1.0.0")
    first = git(repository, "rev-parse", "v1.0.0^{commit}")
    assert clone(f"{server.url}/model", first, tmp_path / "out2", allow_http=True).commit == first


def test_http_without_such_a_repository(repository: Path, tmp_path: Path, serve_git: Serve) -> None:
    with pytest.raises(WorldError, match="no such repository"):
        clone(f"{serve_git(repository.parent).url}/absent", "main", tmp_path / "out", allow_http=True)


@pytest.mark.parametrize("way", ["files", "git-credentials", "url"])
def test_basic_auth(repository: Path, tmp_path: Path, serve_git: Serve, way: str) -> None:
    server = serve_git(repository.parent, login="robot:p@ss/word")
    url = f"{server.url}/model"
    workspace = tmp_path / "auth"
    workspace.mkdir()
    if way == "files":
        (workspace / "username").write_text("robot")
        (workspace / "password").write_text("p@ss/word\n")
    elif way == "git-credentials":
        (workspace / ".gitconfig").write_text("[credential]\n helper = store\n")
        (workspace / ".git-credentials").write_text(server.url.replace("//", "//robot:p%40ss%2Fword@") + "\n")
    else:
        url = url.replace("//", "//robot:p%40ss%2Fword@")
    credentials = None if way == "url" else workspace
    result = clone(url, "main", tmp_path / "out", allow_http=True, credentials=credentials)
    assert result.url == f"{server.url}/model"
    assert server.seen
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(workspace)]
    assert not [path for path in kept if b"p%40ss" in path.read_bytes() or b"p@ss" in path.read_bytes()]


def test_wrong_or_missing_credentials(repository: Path, tmp_path: Path, serve_git: Serve) -> None:
    server = serve_git(repository.parent, login="robot:right")
    for url in (f"{server.url}/model", f"{server.url}/model".replace("//", "//robot:hunter2@")):
        with pytest.raises(WorldError, match="credentials") as caught:
            clone(url, "main", tmp_path / "out", allow_http=True)
        assert "hunter2" not in str(caught.value)


def test_credentials_directory_without_any(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "auth").mkdir()
    with pytest.raises(UsageError, match="basic-auth"):
        clone(str(repository), "main", tmp_path / "out", allow_local=True, credentials=tmp_path / "auth")


def test_submodule_over_http_and_outside(with_submodule: Path, tmp_path: Path, serve_git: Serve) -> None:
    server = serve_git(with_submodule.parent)
    clone(f"{server.url}/model", "main", tmp_path / "out", allow_http=True)
    assert (tmp_path / "out" / "sub" / "s.txt").exists()
    git(with_submodule, "config", "--file", ".gitmodules", "submodule.sub.url", "../../other")
    commit(with_submodule, {"d": "x"})
    with pytest.raises(UsageError, match="points outside"):
        clone(f"{server.url}/model", "main", tmp_path / "out", allow_http=True)


# ssh, with a program in its place that notes how it was called and runs the other side here


def test_ssh_workspace(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    noted = tmp_path / "noted"
    fake = programs / "ssh"
    fake.write_text(
        f"""#!{sys.executable}
import os, pathlib, sys
key = pathlib.Path(sys.argv[sys.argv.index("-i") + 1])
pathlib.Path({str(noted)!r}).write_text("\\n".join([*sys.argv[1:], oct(key.stat().st_mode & 0o777), key.read_text()]))
os.execvp("sh", ["sh", "-c", sys.argv[-1]])
"""
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    workspace = tmp_path / "ssh"
    workspace.mkdir()
    (workspace / "id_ed25519").write_text("the key")
    (workspace / "id_ed25519.pub").write_text("public")
    (workspace / "known_hosts").write_text("example.org ssh-ed25519 AAAA\n")
    clone(f"git@example.org:{repository}", "v1.0.0", tmp_path / "out", ssh=workspace)
    text = noted.read_text()
    for expected in ("BatchMode=yes", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes", "0o600", "the key\n"):
        assert expected in text
    assert text.count("\n-i\n") == 1


def test_ssh_workspace_without_key(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "ssh").mkdir()
    with pytest.raises(UsageError, match="no key"):
        clone("git@example.org:x", "main", tmp_path / "out", ssh=tmp_path / "ssh")
