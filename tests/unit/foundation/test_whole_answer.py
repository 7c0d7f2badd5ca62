"""A limit for a whole exchange."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from penstock.foundation.whole_answer import PLAIN, answered_within, plain_chunks


@contextmanager
def serving(answer: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    over = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            with suppress(OSError):  # the other side has had enough
                answer(connection, over)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            over.set()
            thread.join()


def trickle(start: bytes) -> Callable[[socket.socket, threading.Event], None]:
    def answer(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(0.01):
            connection.sendall(b"a")

    return answer


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX-Long: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"],
    ids=["head", "body"],
)
def test_one_that_comes_byte_by_byte_has_a_limit(start: bytes) -> None:
    with (
        serving(trickle(start)) as url,
        httpx.Client(timeout=20.0) as client,
        pytest.raises(httpx.ReadTimeout, match=r"no whole answer within 0\.15 s"),
        answered_within(client, 0.15),
    ):
        client.get(url)


def test_an_answer_in_time_is_as_without() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with (
        serving(lambda connection, _: connection.sendall(whole)) as url,
        httpx.Client() as client,
        answered_within(client, 20.0),
    ):
        assert client.get(url).text == "ok"


def test_another_fault_is_as_without() -> None:
    with (
        serving(lambda connection, _: connection.sendall(b"no HTTP\r\n\r\n")) as url,
        httpx.Client() as client,
        pytest.raises(httpx.RemoteProtocolError),
        answered_within(client, 20.0),
    ):
        client.get(url)
    with httpx.Client() as client, pytest.raises(RuntimeError, match="ours"), answered_within(client, 20.0):
        raise RuntimeError("ours")


def test_a_compressed_answer_is_not_unpacked() -> None:
    def answer(connection: socket.socket, _: threading.Event) -> None:
        content = gzip.compress(gzip.compress(bytes(1 << 20)))
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: {len(content)}\r\n\r\n"
        connection.sendall(head.encode() + content)

    with (
        serving(answer) as url,
        httpx.Client() as client,
        client.stream("GET", url, headers=PLAIN) as found,
        pytest.raises(httpx.DecodingError, match="is compressed, which was not asked for"),
    ):
        list(plain_chunks(found))
