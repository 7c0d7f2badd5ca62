"""One call: whole answers are results, broken ones say why, and a service that trickles meets the deadline."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from tests.unit.evaluation.photo_folders import photo_folders
from tests.unit.invocation.test_running_service import CASE, contract

from penstock.invocation.http_exchange import BrokenExchangeError, exchange
from penstock.invocation.model import CallResult

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100\r\n\r\n"


@contextlib.contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A service for one connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, contextlib.suppress(OSError):
                request = connection.makefile("rb")
                length = 0
                while (line := request.readline().strip().lower()) != b"":
                    length = (
                        int(line.removeprefix(b"content-length:")) if line.startswith(b"content-length:") else length
                    )
                request.read(length)  # what is left unread resets the connection when it is closed
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def call(tmp_path: Path, url: str, timeout_s: float) -> CallResult:
    photo = photo_folders(tmp_path) / "photos" / "anna.jpg"
    with httpx.Client(trust_env=False) as client:
        return exchange(client, url, contract(), CASE, {"image": photo}, tmp_path / "out.png", timeout_s, name="")


def test_a_whole_answer(tmp_path: Path) -> None:
    with answering(lambda connection: connection.sendall(HEAD + b"x" * 100)) as url:
        result = call(tmp_path, url, 10.0)
    assert (result.status, result.http_status, result.broken_off) == ("ok", 200, False)
    assert (tmp_path / "out.png").read_bytes() == b"x" * 100


def trickle(connection: socket.socket) -> None:
    connection.sendall(HEAD)
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.05)


def test_a_service_that_trickles_meets_the_deadline(tmp_path: Path) -> None:
    with answering(trickle) as url:
        begin = time.monotonic()
        with pytest.raises(BrokenExchangeError) as broken:
            call(tmp_path, url, 0.4)
        assert time.monotonic() - begin < 2
    assert broken.value.expired
    result = broken.value.result("too slow")
    assert (result.status, result.error, result.broken_off) == ("timeout", "too slow", True)
    assert not (tmp_path / "out.png").exists()


def test_an_answer_that_breaks_off(tmp_path: Path) -> None:
    with (
        answering(lambda connection: connection.sendall(HEAD + b"x")) as url,
        pytest.raises(BrokenExchangeError) as broken,
    ):
        call(tmp_path, url, 10.0)
    assert not broken.value.expired
    assert broken.value.result("gone").status == "failed"
    assert "without sending complete message body" in broken.value.reason


@pytest.mark.parametrize("place", ["mailto:x@y", "javascript:1", "http://xn--zzzzzzzzzz99999/"])
def test_a_redirect_to_what_is_no_address(tmp_path: Path, place: str) -> None:
    head = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n".encode()
    with answering(lambda connection: connection.sendall(head)) as url:
        result = call(tmp_path, url, 10.0)
    assert result.status == "failed"
    assert "redirects to what is no address" in (result.error or "")
