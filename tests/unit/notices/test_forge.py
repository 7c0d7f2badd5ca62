"""The comment on a pull request: found again, updated in place, nobody else's touched, the token never shown."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.notices.forge_server import SOMEBODY, TOKEN, Answer, Server, forge_server

from penstock.bundle.models import Run, Source
from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.forge import Posted, put_comment
from penstock.notices.forge_places import Address, Forge, Kind, address_of, open_place, parse_address

MARK = "<!-- penstock: sonic release -->"
BODY = f"{MARK}\n## sonic 1.1.0: rejected\n"
COMMIT = "c0ffee" + "0" * 34
PULL = "/repos/example/sonic/issues/12/comments"
ON_COMMIT = f"/repos/example/sonic/commits/{COMMIT}/comments"
NOTES = "/projects/group/sub/sonic/merge_requests/12/notes"
PLACES: dict[Kind, tuple[str, Address]] = {
    "github": (PULL, Address("github", "example/sonic", 12)),
    "gitlab": (NOTES, Address("gitlab", "group/sub/sonic", 12)),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with forge_server() as state:
        state.comments |= {PULL: [], NOTES: [], ON_COMMIT: []}
        yield state


def put(server: Server, address: Address, body: str = BODY, *, token: str = TOKEN, api: str = "") -> Posted | None:
    forge = Forge(address.kind, server.url + api, token)
    return put_comment(lambda: open_place(forge, address), MARK, body, sleep=lambda _: None)


@pytest.fixture(params=["github", "gitlab"])
def place(request: pytest.FixtureRequest) -> tuple[str, Address]:
    return PLACES[request.param]


def test_the_second_time_it_is_updated_and_the_third_time_nothing_is_sent(
    server: Server, place: tuple[str, Address]
) -> None:
    path, address = place
    for number in range(4):
        server.add(path, f"talk {number}", author=SOMEBODY)
    first = put(server, address)
    assert first is not None
    assert first.action == "created"
    for number in range(3):
        server.add(path, f"more talk {number}", author=SOMEBODY)
    before = [dict(entry) for entry in server.comments[path]]
    second = put(server, address, BODY + "LSE-D rose\n")
    assert second is not None
    assert (second.action, second.url) == ("updated", first.url)
    before[4]["body"] = BODY + "LSE-D rose\n"
    assert server.comments[path] == before, "in place, and nothing else"
    wrote = len(server.wrote())
    third = put(server, address, BODY + "LSE-D rose")
    assert third is not None
    assert (third.action, len(server.wrote())) == ("unchanged", wrote)
    assert server.tokens == {TOKEN}


def test_comments_of_others_and_those_that_only_quote_ours_stay(server: Server, place: tuple[str, Address]) -> None:
    path, address = place
    server.add(path, BODY, author=SOMEBODY)  # a copy of ours, marker and all
    server.add(path, f"> {BODY}", author="penstock-bot")
    server.add(path, f"As it said:\n{BODY}")
    server.add(path, "<!-- penstock: other release -->\nanother model's")
    before = [dict(entry) for entry in server.comments[path]]
    posted = put(server, address)
    assert posted is not None
    assert posted.action == "created"
    assert server.comments[path][:-1] == before


def test_a_system_note_is_no_comment(server: Server) -> None:
    path, address = PLACES["gitlab"]
    server.add(path, MARK, system=True)
    posted = put(server, address)
    assert posted is not None
    assert posted.action == "created"
    assert posted.url == f"{server.url}/group/sub/sonic/-/merge_requests/12#note_101"
    assert "POST /projects/group%2Fsub%2Fsonic/merge_requests/12/notes" in server.requests


def test_line_ends_that_a_forge_changes_are_no_change(server: Server) -> None:
    path, address = PLACES["github"]
    server.add(path, BODY.replace("\n", "\r\n").strip())
    posted = put(server, address)
    assert posted is not None
    assert posted.action == "unchanged"


@pytest.mark.parametrize("api", ["", "/api/v3"])
def test_the_token_of_an_app_finds_out_who_it_is(server: Server, api: str) -> None:
    """GitHub Actions' own token is one."""
    server.app = True
    path, address = PLACES["github"]
    server.add(path, BODY)
    posted = put(server, address, BODY + "new", api=api)
    assert posted is not None
    assert posted.action == "updated"
    assert f"POST {'/api' if api else ''}/graphql" in server.requests


def test_without_a_number_it_is_the_open_pull_request_of_the_commit(server: Server) -> None:
    for path, address, pulls in (
        (
            PULL,
            Address("github", "example/sonic", commit=COMMIT),
            [{"number": 3, "state": "closed"}, {"number": 12, "state": "open"}],
        ),
        (
            NOTES,
            Address("gitlab", "group/sub/sonic", commit=COMMIT),
            [{"iid": 3, "state": "merged"}, {"iid": 12, "state": "opened"}],
        ),
    ):
        server.pulls[COMMIT] = pulls
        put(server, address)
        assert len(server.comments[path]) == 1


def test_a_commit_without_an_open_one_has_the_comment_itself_on_github_only(server: Server) -> None:
    server.pulls[COMMIT] = [{"number": 3, "state": "closed"}]
    for body, action in ((BODY, "created"), (BODY + "x", "updated")):
        posted = put(server, Address("github", "example/sonic", commit=COMMIT), body)
        assert posted is not None
        assert posted.action == action
    assert len(server.comments[ON_COMMIT]) == 1
    server.pulls[COMMIT] = [{"iid": 3, "state": "merged"}]
    assert put(server, Address("gitlab", "group/sub/sonic", commit=COMMIT)) is None
    assert server.comments[NOTES] == []


# what goes wrong


def refused(server: Server, address: Address, **more: Any) -> str:
    with pytest.raises(WorldError) as caught:
        put(server, address, **more)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (
            Answer(403, {"message": "Resource not accessible by personal access token"}),
            "it needs 'Pull requests: write'",
        ),
        (Answer(404, {"message": "Not Found"}), "answered 404 (Not Found). Check the name and the number"),
        (Answer(410, {"message": "Issues are disabled"}), "answered 410 (Issues are disabled)"),
        (Answer(422, {"message": "Validation Failed", "errors": [{"code": "x"}]}), "answered 422 (Validation Failed)"),
        (
            Answer(301, {"message": "Moved Permanently"}, {"Location": "/repositories/1"}),
            "It has moved: give its new name",
        ),
        (Answer(400, {"message": {"note": ["is too long"]}}), 'answered 400 ({"note": ["is too long"]})'),
        (Answer(403, f"\x1b[2J{TOKEN}"), "answered 403"),
        (Answer(404, {"message": f"no {TOKEN}\x1b[2J"}), "no ***\\x1b[2J"),
    ],
)
def test_a_refusal_says_what_to_do(server: Server, answer: Answer, wanted: str) -> None:
    server.failures.append((f"POST {PULL}", answer))
    text = refused(server, PLACES["github"][1])
    assert wanted in text
    assert f"POST {server.url}{PULL}: the forge answered {answer.code}" in text
    assert len(server.wrote()) == 1, "a refusal is not tried again"


def test_a_wrong_token(server: Server, place: tuple[str, Address]) -> None:
    text = refused(server, place[1], token="another-token")
    assert "401 (Bad credentials). The token is wrong, expired or revoked: make a new one." in text
    assert "another-token" not in text


@pytest.mark.parametrize(
    "answer",
    [
        Answer(429, {"message": "Too many"}, {"Retry-After": "2"}),
        Answer(403, {"message": "You have exceeded a secondary rate limit"}),
        Answer(403, {"message": "x"}, {"Retry-After": "1"}),
        Answer(500),
        Answer(502, {"message": "Bad gateway"}),
        Answer(503),
    ],
)
@pytest.mark.parametrize("does_it", [False, True])
def test_what_passes_is_tried_again_and_nothing_is_written_twice(
    server: Server, place: tuple[str, Address], answer: Answer, does_it: bool
) -> None:
    path, address = place
    planned = Answer(answer.code, answer.content, answer.headers, does_it=does_it)
    server.failures += [("^POST", planned), ("^GET .*(comments|notes)", answer)]
    assert put(server, address) is not None
    assert [entry["body"] for entry in server.comments[path]] == [BODY]


@pytest.mark.parametrize(("code", "words"), [(429, "too many requests"), (503, "answered 503")])
def test_what_does_not_pass_is_said(server: Server, code: int, words: str) -> None:
    server.failures += [("comments", Answer(code))] * 3
    text = refused(server, PLACES["github"][1])
    assert words in text
    assert "Try it again later with `penstock comment`; the verdict stands." in text
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "3600"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3600)}],
)
def test_a_forge_that_asks_for_an_hour_is_not_waited_for(server: Server, headers: dict[str, str]) -> None:
    server.failures.append(("comments", Answer(403, {"message": "x"}, headers)))
    assert "too many requests" in refused(server, PLACES["github"][1])
    assert len(server.requests) == 1


def test_the_wait_is_the_one_that_was_asked_for(server: Server) -> None:
    server.failures.append(("comments", Answer(429, None, {"Retry-After": "7"})))
    waited: list[float] = []
    forge = Forge("github", server.url, TOKEN)
    put_comment(lambda: open_place(forge, PLACES["github"][1]), MARK, BODY, sleep=waited.append)
    assert waited == [7.0]


def test_nobody_answers(server: Server) -> None:
    """A port that was just given back."""
    with forge_server() as gone:
        address = gone.url
    server.url = address
    assert "the forge cannot be reached" in refused(server, PLACES["github"][1])


@pytest.mark.parametrize("reply", [b"<html>", b"[1]", b'{"a": 1}', b"null", b"[" * 5000, b'[{"id": "x"}]', b"\xff"])
def test_what_is_no_forge_is_said(server: Server, reply: bytes) -> None:
    server.reply = reply
    assert "this is not a forge's API" in refused(server, PLACES["github"][1])


@pytest.mark.parametrize("link", ["http://127.0.0.1:1/next", "//evil.example/x", "https://evil.example/"])
def test_the_token_does_not_follow_a_list_to_another_host(server: Server, link: str) -> None:
    server.failures.append(("comments", Answer(200, [], {"Link": f'<{link}>; rel="next"'})))
    assert "goes on at another host" in refused(server, PLACES["github"][1])


def test_an_endless_list_ends(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.notices.forge.MAX_PAGES", 3)
    again = Answer(200, [], {"Link": f'<{server.url}{PULL}?page=2>; rel="next"'})
    server.failures += [("comments", again)] * 9
    assert "more than 3 pages" in refused(server, PLACES["github"][1])


def test_nothing_is_logged_with_the_token_in_it(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        put(server, PLACES["github"][1])
        refused(server, Address("github", "example/none", 1))
    assert caplog.text
    assert TOKEN not in caplog.text


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
        ("gitlab", "sonic!1"),
        ("gitlab", "a//b!1"),
    ],
)
def test_what_is_no_address(kind: Kind, text: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
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
