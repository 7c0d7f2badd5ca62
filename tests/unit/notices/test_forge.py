"""The comment on a pull request: found again, updated in place, nobody else's touched, the token never shown."""

from __future__ import annotations

import logging
import time

import httpx
import pytest
from tests.unit.notices.forge_comments import BODY, COMMIT, MARK, NOTES, ON_COMMIT, PLACES, PULL, put, refused
from tests.unit.notices.forge_server import SOMEBODY, TOKEN, Answer, Server, forge_server

from penstock.foundation.errors import UsageError, WorldError
from penstock.notices.forge import Api, RefusedError, _wait, put_comment
from penstock.notices.forge_places import Address, Forge, open_place


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
    ("code", "one_thing"), [(301, True), (400, True), (403, True), (404, True), (422, True), (401, False), (503, False)]
)
def test_whether_one_thing_is_refused_or_nothing_goes(server: Server, code: int, one_thing: bool) -> None:
    server.failures += [(f"POST {PULL}", Answer(code))] * 3
    forge = Forge("github", server.url, TOKEN)
    with pytest.raises(WorldError) as caught:
        put_comment(lambda: open_place(forge, PLACES["github"][1]), MARK, BODY, sleep=lambda _: None)
    assert isinstance(caught.value, RefusedError) is one_thing


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


@pytest.mark.parametrize("base", ["https://a..b", "https://" + "a" * 70 + ".example.org"])
def test_a_name_that_cannot_be_a_host(base: str) -> None:
    api = Api(base, TOKEN, {}, rights="write")
    with pytest.raises(UsageError, match="a host that none has"):
        api.get("/user")


@pytest.mark.parametrize("base", ["https://[::1", "https://a.example:99999"])
def test_what_cannot_be_an_address(base: str) -> None:
    with pytest.raises(UsageError, match="not the address of an API"):
        Api(base, TOKEN, {}, rights="write")


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


@pytest.mark.parametrize("asked", ["²", "-1", "soon"])
def test_a_wait_that_is_no_number_is_a_second(asked: str) -> None:
    headers = [(b"retry-after", asked.encode("latin-1")), (b"x-ratelimit-remaining", b"0")]
    assert _wait(httpx.Response(429, headers=[*headers, (b"x-ratelimit-reset", asked.encode("latin-1"))])) == 1.0
