"""One request, and what came of it."""

from __future__ import annotations

import socket

import pytest
from tests.unit.load.services import OK, Handle, answering, read_request, service

from penstock.load.exchange import exchange
from penstock.load.load_request import LoadRequest, find_destination, parse_load_url
from penstock.load.timeline import RequestEnding

REQUEST = LoadRequest("GET", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")


def silent(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def half(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}")


@pytest.mark.parametrize(
    ("handle", "timeout_s", "ending", "status", "message"),
    [
        (answering(OK), 20.0, RequestEnding.GOOD, 200, ""),
        (
            answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
            20.0,
            RequestEnding.STATUS,
            503,
            "the service answered 503",
        ),
        (silent, 0.2, RequestEnding.TIMEOUT, 0, "nothing came in time"),
        (half, 20.0, RequestEnding.BROKEN, 200, "the connection was closed in the middle of the answer"),
    ],
)
def test_an_exchange(handle: Handle, timeout_s: float, ending: RequestEnding, status: int, message: str) -> None:
    with service(handle) as at:
        found = exchange(find_destination(parse_load_url(at.url))[0], REQUEST, timeout_s)
    assert (found.ending, found.status, found.message) == (ending, status, message)
    assert found.good is (ending is RequestEnding.GOOD)
    assert found.seconds > 0


def test_nobody_there() -> None:
    with service(answering(OK)) as at:
        place = find_destination(parse_load_url(at.url))[0]
    assert exchange(place, REQUEST, 5.0).ending is RequestEnding.REFUSED
