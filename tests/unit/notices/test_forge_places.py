"""Addresses on a forge, its API, and whom the token is shown to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.notices.forge_comments import COMMIT, PLACES, put, refused
from tests.unit.notices.forge_server import TOKEN, Server

from penstock.bundle.models import Run, Source
from penstock.foundation.errors import UsageError
from penstock.notices.forge_places import (
    Address,
    Forge,
    Kind,
    address_of,
    open_api,
    open_place,
    parse_address,
    read_forge,
)

# what goes wrong


@pytest.mark.parametrize("reply", [b"<html>", b"[1]", b'{"a": 1}', b"null", b"[" * 5000, b'[{"id": "x"}]', b"\xff"])
def test_what_is_no_forge_is_said(server: Server, reply: bytes) -> None:
    server.reply = reply
    assert "this is not a forge's API" in refused(server, PLACES["github"][1])


@pytest.mark.parametrize("token", ["", " ", "a b", "a\nX-Header: b", "tökén", "x" * 5000])
def test_a_token_that_cannot_be_one_is_not_shown(server: Server, token: str) -> None:
    with pytest.raises(UsageError, match="token") as caught:
        put(server, PLACES["github"][1], token=token)
    assert not token.strip() or token not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize(
    "api", ["http://forge.example", "ftp://forge.example", "forge.example", "https://u:p@forge.example", "https://"]
)
def test_an_api_that_cannot_be_one(api: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_place(Forge("github", api, TOKEN), PLACES["github"][1])
    assert "u:p" not in str(caught.value)
    assert TOKEN not in str(caught.value)


# addresses


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("github", "example/sonic#12", ("example/sonic", 12, "")),
        ("github", "example/.github#1", ("example/.github", 1, "")),
        ("github", f"example/sonic@{COMMIT}", ("example/sonic", None, COMMIT)),
        ("github", "example/sonic", ("example/sonic", None, "")),
        ("github", "https://github.com/example/sonic/pull/12", ("example/sonic", 12, "")),
        ("github", "https://github.com/example/sonic/pull/12/files#x", ("example/sonic", 12, "")),
        ("gitea", "https://git.example.org/example/sonic/pulls/12", ("example/sonic", 12, "")),
        ("gitlab", "group/sub/sonic!12", ("group/sub/sonic", 12, "")),
        ("gitlab", "https://gitlab.com/group/sonic/-/merge_requests/12?x", ("group/sonic", 12, "")),
    ],
)
def test_addresses(kind: Kind, text: str, wanted: tuple[Any, ...]) -> None:
    found = parse_address(kind, text)
    assert (found.path, found.number, found.commit) == wanted


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("github", ""),
        ("github", "sonic#12"),
        ("github", "a/b/c#12"),
        ("github", "a/b#0"),
        ("github", "a/../b#1"),
        ("github", "a/..#1"),
        ("github", "a/b#1\n"),
        ("github", "a/b@main"),
        ("github", "a/b?x#1"),
        ("gitea", "a/b/c#12"),
        ("gitlab", "sonic!1"),
        ("gitlab", "a//b!1"),
    ],
)
def test_what_is_no_address(kind: Kind, text: str) -> None:
    with pytest.raises(UsageError, match="is not an address"):
        parse_address(kind, text)


def run(url: str, commit: str = COMMIT) -> Run:
    source = Source(url=url, revision="v1", commit=commit, committer_date="", version="1", tree="")
    return Run(penstock="0", run_id="r", model="sonic", source=source)


@pytest.mark.parametrize(
    ("url", "kind", "api", "path"),
    [
        ("https://github.com/example/sonic.git", "github", "https://api.github.com", "example/sonic"),
        ("git@github.com:example/sonic.git", "github", "https://api.github.com", "example/sonic"),
        ("ssh://git@ssh.github.com:443/example/sonic.git", "github", "https://api.github.com", "example/sonic"),
        ("https://git.example.org/example/sonic", "github", "https://git.example.org/api/v3", "example/sonic"),
        ("https://gitlab.com/group/sub/sonic.git", "gitlab", "https://gitlab.com/api/v4", "group/sub/sonic"),
        ("https://example.org/gitlab/group/sonic.git", "gitlab", "https://example.org/gitlab/api/v4", "group/sonic"),
        ("https://git.example.org/example/sonic.git", "gitea", "https://git.example.org/api/v1", "example/sonic"),
        ("https://example.org/git/example/sonic.git", "gitea", "https://example.org/git/api/v1", "example/sonic"),
        ("git@example.org:group/sonic.git", "gitlab", "https://example.org/gitlab/api/v4", "group/sonic"),
    ],
)
def test_the_repository_of_a_run(url: str, kind: Kind, api: str, path: str) -> None:
    forge = Forge(kind, api, TOKEN)
    assert address_of(run(url), forge) == Address(kind, path, commit=COMMIT)
    assert address_of(run(url), forge, "12") == Address(kind, path, 12)


@pytest.mark.parametrize(
    ("url", "commit", "wanted"),
    [
        ("https://evil.example/example/sonic.git", COMMIT, "lies on 'evil.example', the forge is 'github.com'"),
        ("https://github.com.evil.example/a/b", COMMIT, "lies on 'github.com.evil.example'"),
        ("/srv/models/sonic", COMMIT, "lies on '/srv/models/sonic'"),
        ("https://github.com/a/b/c", COMMIT, "names no repository"),
        ("https://github.com/a/../b", COMMIT, "names no repository"),
        ("https://github.com/a/b", "../../x", "names no repository"),
    ],
)
def test_a_repository_elsewhere_does_not_get_the_token(url: str, commit: str, wanted: str) -> None:
    with pytest.raises(UsageError, match=wanted):
        address_of(run(url, commit), Forge("github", "https://api.github.com", TOKEN))


@pytest.mark.parametrize("number", ["0", "x", "-1", "1/../2", "12 "])
def test_a_number_that_is_none(number: str) -> None:
    with pytest.raises(UsageError, match="not the number of a pull request"):
        address_of(run("https://github.com/a/b"), Forge("github", "https://api.github.com", TOKEN), number)


# Gitea


def test_the_open_pull_request_of_a_commit_on_gitea(server: Server) -> None:
    others = [{"number": number, "head": {"sha": f"{number:040x}"}} for number in range(1, 5)]
    server.pulls["open"] = [*others, {"number": 12, "head": {"sha": COMMIT}}]
    posted = put(server, Address("gitea", "example/sonic", commit=COMMIT), api="/api/v1")
    assert posted is not None
    assert [comment["body"] for comment in server.comments[PLACES["gitea"][0]]]


def test_a_commit_that_no_pull_request_has_gets_no_comment_on_gitea(server: Server) -> None:
    assert put(server, Address("gitea", "example/sonic", commit=COMMIT), api="/api/v1") is None
    assert server.wrote() == []


def test_a_token_that_may_not_ask_who_it_is_on_gitea(server: Server) -> None:
    server.app = True
    put(server, PLACES["gitea"][1])
    assert "read:user" in refused(server, PLACES["gitea"][1])


def test_the_secret_of_a_gitea(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "kind").write_text("gitea\n")
    with pytest.raises(UsageError, match="no server is named"):
        read_forge(tmp_path)
    (tmp_path / "url").write_text("https://git.example.org/api/v1")
    assert read_forge(tmp_path) == Forge("gitea", "https://git.example.org/api/v1", TOKEN)


def test_a_forge_inside_a_cluster_without_tls_only_if_that_is_allowed(tmp_path: Path) -> None:
    for name, content in (("token", TOKEN), ("kind", "gitea"), ("url", "http://gitea.forge.svc:3000/api/v1")):
        (tmp_path / name).write_text(content)
    with pytest.raises(UsageError, match="without TLS"):
        open_api(read_forge(tmp_path))
    (tmp_path / "allow-http").write_text("true\n")
    open_api(read_forge(tmp_path))
    (tmp_path / "allow-http").write_text("yes\n")
    with pytest.raises(UsageError, match="neither true nor false"):
        read_forge(tmp_path)
