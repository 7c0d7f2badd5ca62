"""Which addresses mean the same repository, and whose a model's name is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.unit.releases.released_runs import MINI

from penstock.foundation.errors import UsageError
from penstock.releases.names import repository_identity


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example.org/acme/mini",
        "https://git.example.org/acme/mini.git",
        "https://git.example.org:443/acme/mini.git/",
        "https://GIT.Example.ORG./acme//mini/",
        "https://ada@git.example.org/acme/%6dini.git",
        "http://git.example.org:80/acme/mini",
        "ssh://git@git.example.org/acme/mini.git",
        "ssh://git@git.example.org:22/acme/mini",
        "git://git.example.org/acme/mini.git",
        "git@git.example.org:acme/mini.git",
        "git@git.example.org:/acme/mini",
        "git.example.org:acme/mini/",
    ],
)
def test_one_repository_has_one_identity(address: str) -> None:
    assert repository_identity(address) == MINI


@pytest.mark.parametrize(
    ("address", "identity"),
    [
        ("https://git.example.org:8443/acme/mini", "git.example.org:8443/acme/mini"),
        ("ssh://git@git.example.org:2222/acme/mini", "git.example.org:2222/acme/mini"),
        ("https://git.example.org/Acme/mini", "git.example.org/Acme/mini"),
        ("https://git.example.org/acme/mini.git.git", "git.example.org/acme/mini.git"),
        ("https://other.example.org/acme/mini", "other.example.org/acme/mini"),
        ("https://git.example.org/acme%2Fmini", "git.example.org/acme%2Fmini"),
        ("https://[2001:DB8::1]:8443/mini.git", "[2001:db8::1]:8443/mini"),
        ("ann@git.example.org:acme/mini", "git.example.org/~ann/acme/mini"),
        ("ssh://ann@git.example.org/~/acme/mini", "git.example.org/~ann/acme/mini"),
        ("ssh://git@git.example.org/~bob/mini", "git.example.org/~bob/mini"),
        ("ann@git.example.org:/acme/mini", MINI),
        ("ann@git.example.org:~bob/mini", "git.example.org/~bob/mini"),
        ("git@git.example.org:acme/mi%6Ei", "git.example.org/acme/mi%256Ei"),
        ("git@git.example.org:acme/mini?x#y", "git.example.org/acme/mini%3Fx%23y"),
        ("https://git.example.org/acme/mini%3Fx%23y", "git.example.org/acme/mini%3Fx%23y"),
    ],
)
def test_what_tells_two_repositories_apart(address: str, identity: str) -> None:
    assert repository_identity(address) == identity


@pytest.mark.parametrize(
    "address",
    [
        *("https://", "https://host", "host:", "ext::sh", "ftp://host/x", "https://[/x"),
        *("ssh://host/mini?evil", "https://host/mini#evil", "https://host/mini?", "file:///mini#evil", "file:///m?"),
    ],
)
def test_what_is_no_repository(address: str) -> None:
    with pytest.raises(UsageError, match="not the address of a repository"):
        repository_identity(address)


def test_a_path_is_where_the_repository_really_lies(tmp_path: Path) -> None:
    main = tmp_path / "mini"
    run = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(main)]
    main.mkdir()
    subprocess.run([*run, "init", "-q"], check=True)
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*run, "worktree", "add", "-q", str(tmp_path / "linked")], check=True)
    (tmp_path / "alias").symlink_to(main)
    for path in (main, main / ".git", tmp_path / "linked", tmp_path / "alias", tmp_path / "x" / ".." / "mini"):
        assert repository_identity(str(path)) == str(main), path
    assert repository_identity(main.as_uri()) == str(main)
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(main), str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "worktree", "add", "-qb", "other", str(tmp_path / "of bare")], check=True)
    assert repository_identity(str(tmp_path / "of bare")) == str(bare)
    assert repository_identity(str(bare)) != repository_identity(str(main)), "a clone is a repository of its own"
