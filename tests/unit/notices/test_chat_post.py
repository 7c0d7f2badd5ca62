"""Messages posted to the services: taken, refused within a 200, too many, not reached, never ending."""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from tests.unit.notices.chat_server import KEY, SECRET, ChatServer, chat_server

from penstock.notices import chat_post
from penstock.notices.chat_post import post_notice
from penstock.notices.chats import find_chat
from penstock.notices.notice import Notice, NoticeLink

SERVICES = ("wecombot", "dingtalk", "feishu", "lark", "slack", "workflows")
LINKS = (NoticeLink("report", "https://reports.example.org/sonic/r-7?a=1&b=2"),)
NOTICE = Notice("sonic 1.1.0: rejected", "LSE-D rose from 7.9 to 9.3.", LINKS, ("FID rose",), "failure")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server() as found:
        yield found


def post(server: ChatServer, address: str, notice: Notice = NOTICE, waits: list[float] | None = None) -> str:
    chat = find_chat(address, server.places)
    assert chat is not None
    return post_notice(chat, notice, sleep=([] if waits is None else waits).append)


@pytest.mark.parametrize("service", SERVICES)
def test_a_message_is_taken(server: ChatServer, service: str) -> None:
    assert post(server, server.address(service)) == ""
    (taken,) = server.taken
    for words in ("sonic 1.", ": rejected", "LSE-D rose from 7.9 to 9.3", "FID rose", "reports.example.org/sonic/r-7"):
        assert words in str(taken)


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("wecombot", "error 93000: invalid webhook url"),
        ("dingtalk", "error 300005: token is not exist"),
        ("feishu", "error 19001: param invalid"),
        ("slack", "404 no_service"),
        ("workflows", "HTTP 401: The signature is not valid."),
    ],
)
def test_a_wrong_key_is_a_lost_message_and_not_asked_again(server: ChatServer, service: str, said: str) -> None:
    assert post(server, server.address(service, key="other2other2")).startswith(said)
    assert (server.taken, server.requests) == ([], 1)


@pytest.mark.parametrize("service", ["dingtalk", "feishu"])
def test_signatures(server: ChatServer, service: str) -> None:
    server.signed = True
    assert "sign" in post(server, server.address(service))
    assert "sign" in post(server, server.address(service, secret="SECother"))
    assert post(server, server.address(service, secret=SECRET)) == ""
    assert len(server.taken) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_too_many_are_waited_for(server: ChatServer, service: str) -> None:
    server.limited, waits = 2, list[float]()
    assert post(server, server.address(service), waits=waits) == ""
    assert (len(server.taken), server.requests) == (1, 3)
    assert waits == ([1.0] * 2 if service == "slack" else [chat_post.PAUSE_S] * 2)
    server.limited = 9
    assert post(server, server.address(service), waits=waits) != ""
    assert server.requests == 6


def test_a_service_that_wants_a_long_wait_is_not_waited_for(server: ChatServer) -> None:
    def refuse(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(429)
        handler.send_header("Retry-After", "600")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    server.on_request = refuse
    waits: list[float] = []
    assert post(server, server.address("slack"), waits=waits).startswith("HTTP 429")
    assert (waits, server.requests) == ([], 1)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("reply", [(500, b"<html>"), (302, b""), (200, b"<html>welcome</html>")])
def test_what_is_no_answer_of_the_service(server: ChatServer, service: str, reply: tuple[int, bytes]) -> None:
    server.reply = reply
    if service == "workflows" and reply[0] == 200:
        return  # a flow answers with nothing, or with what its author put there
    assert post(server, server.address(service)) != ""
    assert server.requests == (3 if reply[0] == 500 else 1)


def test_secrets_are_not_repeated(server: ChatServer) -> None:
    server.reply = (200, f'{{"errcode": 9, "errmsg": "no {KEY} with {SECRET}\\u202e"}}'.encode())
    assert post(server, server.address("dingtalk", secret=SECRET)) == "error 9: no *** with ***\\u202e"


def test_nobody_is_there() -> None:
    with chat_server() as server:
        gone = server
    waits: list[float] = []
    assert post(gone, gone.address("slack"), waits=waits).startswith("cannot be reached")
    assert len(waits) == 2


@pytest.mark.parametrize("endless", [True, False])
def test_an_answer_that_does_not_end(server: ChatServer, monkeypatch: pytest.MonkeyPatch, endless: bool) -> None:
    monkeypatch.setattr(chat_post, "TIMEOUT_S", 0.05)

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with_size = b" " * (70_000 if endless else 1)
        for _ in range(4):
            handler.wfile.write(with_size)
            handler.wfile.flush()
            time.sleep(0.03)

    server.on_request = drip
    said = post(server, server.address("wecombot"))
    assert "the message may have arrived" in said
    assert server.requests == 1, "it is not sent twice"


def test_a_certificate_that_nobody_signed(server: ChatServer, tmp_path: Path) -> None:
    server.over_tls(tmp_path)
    assert "CERTIFICATE_VERIFY_FAILED" in post(server, server.address("wecombot"))
    assert (server.taken, server.requests) == ([], 0)
