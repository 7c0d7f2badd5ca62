"""The status of a commit on its forge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.notices.forge_comments import COMMIT
from tests.unit.notices.forge_server import TOKEN, Answer, Server

from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.commit_status import CommitStatus, State, put_status, read_statuses, short
from penstock.notices.forge_places import Address, Forge, Kind

STATES: tuple[State, ...] = ("pending", "success", "failure", "error", "cancelled")
WORDS: dict[Kind, tuple[str, ...]] = {
    "github": ("pending", "success", "failure", "error", "error"),
    "gitea": ("pending", "success", "failure", "error", "error"),
    "gitlab": ("running", "success", "failed", "failed", "canceled"),
}


def put(server: Server, status: CommitStatus, *, kind: Kind = "github", commit: str = COMMIT, api: str = "") -> None:
    path = "group/sub/sonic" if kind == "gitlab" else "example/sonic"
    put_status(Forge(kind, server.url + api, TOKEN), Address(kind, path, commit=commit), status, sleep=lambda _: None)


@pytest.mark.parametrize(("kind", "api"), [("github", ""), ("gitlab", "/api/v4"), ("gitea", "/api/v1")])
def test_each_forge_gets_its_own_words(server: Server, kind: Kind, api: str) -> None:
    for state in STATES:
        put(server, CommitStatus(state, "as it is", "https://book.example/r"), kind=kind, api=api)
    assert [value["state"] for _, value in server.statuses] == list(WORDS[kind])
    where, value = server.statuses[0]
    assert where == f"{'group/sub/sonic' if kind == 'gitlab' else 'example/sonic'}@{COMMIT}"
    assert value["name" if kind == "gitlab" else "context"] == "penstock/verify"
    assert (value["description"], value["target_url"]) == ("as it is", "https://book.example/r")
    assert server.tokens == {TOKEN}


def test_pending_twice_is_no_error(server: Server) -> None:
    for _ in range(2):
        put(server, CommitStatus("pending", "waits"), kind="gitlab")
    assert len(server.statuses) == 1


def test_a_refusal_of_gitlab_is_still_one(server: Server) -> None:
    server.failures.append(("statuses", Answer(400, {"message": "References for commit not found"})))
    with pytest.raises(WorldError, match="References for commit"):
        put(server, CommitStatus("pending", "waits"), kind="gitlab")


@pytest.mark.parametrize(
    "url", ["", "javascript:alert(1)", "ftp://x/y", "https://", "https://[", "https://x/" + "y" * 250]
)
def test_what_is_no_link_is_left_out(server: Server, url: str) -> None:
    put(server, CommitStatus("success", "fine", url))
    assert "target_url" not in server.statuses[0][1]


@pytest.mark.parametrize("commit", ["", "main", "c0ffee", COMMIT.upper(), f"{COMMIT}\n", "../" + COMMIT])
def test_only_a_whole_commit(server: Server, commit: str) -> None:
    with pytest.raises(UsageError, match="not a whole commit"):
        put(server, CommitStatus("success", "fine"), commit=commit)
    assert server.requests == []


def test_a_forge_that_fails_once_is_asked_again(server: Server) -> None:
    server.failures.append(("statuses", Answer(502, None)))
    put(server, CommitStatus("failure", "worse"))
    assert [value["state"] for _, value in server.statuses] == ["failure"]


def test_a_token_that_may_not_is_told_what_it_needs(server: Server) -> None:
    server.failures.append(("statuses", Answer(403, {"message": f"no, {TOKEN}"})))
    with pytest.raises(WorldError, match="Commit statuses: write") as caught:
        put(server, CommitStatus("failure", "worse"))
    assert TOKEN not in str(caught.value)


@given(st.text(max_size=400))
def test_a_description_is_one_short_line(text: str) -> None:
    line = short(text)
    assert len(line) <= 140
    assert line.isprintable()
    assert line == " ".join(line.split())


def read(server: Server, kind: Kind = "github", api: str = "") -> list[CommitStatus]:
    path = "group/sub/sonic" if kind == "gitlab" else "example/sonic"
    return read_statuses(Forge(kind, server.url + api, TOKEN), Address(kind, path, commit=COMMIT))


@pytest.mark.parametrize(("kind", "api"), [("github", ""), ("gitlab", "/api/v4"), ("gitea", "/api/v1")])
def test_what_was_said_is_read_the_last_first(server: Server, kind: Kind, api: str) -> None:
    states: tuple[State, ...] = ("pending", "failure", "pending", "success", "pending")
    for number, state in enumerate(states):
        put(server, CommitStatus(state, f"word {number}", f"https://book.example/{number}"), kind=kind, api=api)
    put(server, CommitStatus("error", "somebody else's", context="lint"), kind=kind, api=api)
    put(server, CommitStatus("error", "another commit's"), kind=kind, api=api, commit="b" * 40)
    assert read(server, kind, api) == [
        CommitStatus(state, f"word {number}", f"https://book.example/{number}")
        for number, state in reversed(list(enumerate(states)))
    ]


def test_what_is_read_is_checked(server: Server) -> None:
    where = f"example/sonic@{COMMIT}"
    odd = {"state": "warning", "context": "penstock/verify"}
    server.statuses = [(where, odd), (where, odd | {"state": ["success"]}), (where, odd | {"context": None})]
    long = {"state": "success", "context": "penstock/verify", "description": "x\n" * 500, "target_url": "javascript:x"}
    server.statuses.append((where, long))
    (found,) = read(server)
    assert (found.state, found.target_url) == ("success", "")
    assert len(found.description) <= 140


@pytest.mark.parametrize(("answer", "error"), [(Answer(503), "answered 503"), (Answer(404), "answered 404")])
def test_a_forge_that_does_not_say_what_was_said(server: Server, answer: Answer, error: str) -> None:
    server.failures.append(("statuses", answer))
    with pytest.raises(WorldError, match=error):
        read(server)
