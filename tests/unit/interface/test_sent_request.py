"""A request goes out within limits, and is shown as a command that sends it again."""

from __future__ import annotations

import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from penstock.interface import sent_request
from penstock.interface.sent_request import UnansweredError, prepared_request, send, shown_request, weight


@contextmanager
def answering(*parts: bytes, hold: bool = False) -> Iterator[str]:
    """A server that says just this, whatever it is asked."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        client, _ = server.accept()
        with client:
            client.recv(1 << 16)
            for part in parts:
                client.sendall(part)
            if hold:
                over.wait(10)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
    finally:
        over.set()
        thread.join(5)
        server.close()


def asked(url: str, timeout_s: float = 5.0) -> object:
    return send(prepared_request({"method": "GET", "url": url}), timeout_s)


def test_an_answer_is_taken_as_it_comes() -> None:
    elsewhere = b"HTTP/1.0 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Type: text/x\r\n\r\nbody"
    with answering(elsewhere) as url:
        answer = asked(url)
    assert answer == sent_request.ServiceAnswer(302, "text/x", b"body")


def test_chunks_are_put_together() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n") as url:
        assert asked(url) == sent_request.ServiceAnswer(200, None, b"abcde")


@pytest.mark.parametrize(
    ("parts", "hold", "said"),
    [
        ((), False, "closes the connection without a whole answer"),
        ((b"nonsense\r\n\r\n",), False, "closes the connection without a whole answer"),
        ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",), False, "closes the connection without a whole answer"),
        ((), True, "gives no answer within 0.3 s"),
        ((b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",), False, "compressed ('gzip')"),
        ((b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 3000,), False, "answers with more than 0 MiB"),
    ],
)
def test_what_is_no_answer_says_so(
    parts: tuple[bytes, ...], hold: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sent_request, "MAX_ANSWER", 2000)
    with answering(*parts, hold=hold) as url, pytest.raises(UnansweredError) as told:
        asked(url, 0.3)
    assert said in str(told.value)


def test_nothing_of_the_moment_is_sent() -> None:
    sent = {"method": "POST", "url": "http://127.0.0.1/", "files": {"image": ("image", b"x")}}
    sent["headers"] = {"X-Schemathesis-TestCaseId": "a1b2"}
    one, other = prepared_request(sent), prepared_request(sent)
    assert (one.body, dict(one.headers)) == (other.body, dict(other.headers))
    assert "X-Schemathesis-TestCaseId" not in one.headers
    boundary = one.headers["Content-Type"].rpartition("=")[2]
    assert isinstance(one.body, bytes)
    assert one.body.startswith(f"--{boundary}\r\n".encode())
    assert one.headers["Content-Length"] == str(len(one.body))


@pytest.mark.parametrize("header", ["a\nb", "ä\u0100"])
def test_what_cannot_be_sent_is_said(header: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        prepared_request({"method": "GET", "url": "http://127.0.0.1/", "headers": {"X": header}})


def test_a_short_body_stands_in_the_command_another_in_a_file(tmp_path: Path) -> None:
    url = "http://127.0.0.1:40123/items?q=%00'"
    request = prepared_request({"method": "PUT", "url": url, "json": {"a": "it's"}})
    command, body = shown_request(request, "http://127.0.0.1:40123", tmp_path / "bodies", "interface/requests")
    assert body is None
    words = shlex.split(command)
    assert words[:5] == ["curl", "--globoff", "--path-as-is", "-X", "PUT"]
    assert words[words.index("--data-raw") + 1] == '{"a": "it\'s"}'
    assert words[-1].startswith("http://localhost:8080/items?q=%00")
    request = prepared_request({"method": "POST", "url": url, "data": b"\x00\xff"})
    command, body = shown_request(request, "http://127.0.0.1:40123", tmp_path / "bodies", "interface/requests")
    assert body is not None
    assert f"--data-binary @interface/requests/{body}" in command
    assert (tmp_path / "bodies" / body).read_bytes() == b"\x00\xff"
    command, _ = shown_request(prepared_request({"method": "HEAD", "url": url}), "x", tmp_path, "y")
    assert "--head" in command


def test_of_two_requests_the_shorter_is_kept() -> None:
    def sized(query: str) -> tuple[int, str]:
        return weight(prepared_request({"method": "GET", "url": f"http://127.0.0.1/?{query}"}))

    assert sized("a") < sized("b") < sized("aa")
