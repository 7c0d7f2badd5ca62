"""Whatever a service answers, well or badly: what became of the request is told, and no request is counted twice."""

from __future__ import annotations

import random
import socket
import time

import pytest
from tests.unit.load.services import OK, Handle, answering, endings, put_load, read_request, reset, service

from penstock.load.timeline import RequestEnding


@pytest.mark.parametrize("status", [302, 404, 500, 503])
def test_other_statuses_are_errors_and_redirects_are_not_followed(status: int) -> None:
    answer = f"HTTP/1.1 {status} No\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n".encode()
    with service(answering(answer)) as at:
        timeline = put_load(at.url)
    assert endings(timeline) == {RequestEnding.STATUS: 20}
    assert set(timeline.status) == {status}
    assert timeline.samples() == {RequestEnding.STATUS: f"the service answered {status}"}


@pytest.mark.parametrize(
    ("answer", "close"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil it is closed", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX: a\r\n  and more\r\nContent-Length: 2\r\n\r\n{}", False),
        # what inflates to a terabyte is counted as the bytes that came
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00", False),
    ],
)
def test_every_way_to_end_an_answer_is_understood(answer: bytes, close: bool) -> None:
    with service(answering(answer, close=close)) as at:
        timeline = put_load(at.url)
    assert endings(timeline) == {RequestEnding.GOOD: 20}
    assert not timeline.resent


@pytest.mark.parametrize(
    ("answer", "close", "message"),
    [
        (b"SSH-2.0-OpenSSH\r\n", False, "what came is not an HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", True, "the connection was closed in the middle"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n 0\r\n\r\n{}", False, "a header of the answer cannot be read"),
        (OK + b"and more", False, "the answer is longer than it said"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, False, "the answer's headers are larger than 64 KiB"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n", False, "the answer is larger than 64 MiB"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nbomb\r\n", False, "the size of a chunk"),
    ],
)
def test_what_is_no_answer_is_broken(answer: bytes, close: bool, message: str) -> None:
    with service(answering(answer, close=close)) as at:
        timeline = put_load(at.url)
    assert endings(timeline) == {RequestEnding.BROKEN: 20}
    assert timeline.samples()[RequestEnding.BROKEN].startswith(message)


def test_an_answer_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.load.answer_reader.MAX_BODY_BYTES", 1 << 20)

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                connection.sendall(b"10000\r\n" + bytes(65536) + b"\r\n")

    with service(handle) as at:
        timeline = put_load(at.url, rate=20)
    assert endings(timeline) == {RequestEnding.BROKEN: 4}
    assert timeline.samples() == {RequestEnding.BROKEN: "the answer is larger than 1 MiB"}


def test_more_after_an_answer_counts_against_it_though_it_comes_later() -> None:
    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(OK)
            time.sleep(0.03)
            connection.sendall(b"the rest of a longer answer")

    with service(handle) as at:
        timeline = put_load(at.url, rate=4, seconds=0.5)
    assert timeline.ending[0] == RequestEnding.BROKEN
    assert timeline.samples() == {RequestEnding.BROKEN: "more came than the answer had said"}


def test_a_dripping_answer_ends_with_the_requests_own_time() -> None:
    def handle(connection: socket.socket) -> None:
        read_request(connection)
        for byte in OK * 100:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    with service(handle) as at:
        timeline = put_load(at.url, rate=20, seconds=0.1, timeout_s=0.3)
    assert endings(timeline) == {RequestEnding.TIMEOUT: 2}
    assert timeline.samples()[RequestEnding.TIMEOUT].startswith("the answer was not whole")


def whims(seed: int) -> Handle:
    """A service that does something else with each request."""
    draws = random.Random(seed)

    def handle(connection: socket.socket) -> None:
        while True:
            if draws.random() < 0.05:
                reset(connection)
                return
            if not read_request(connection):
                return
            match draws.randrange(12):
                case 0:
                    connection.sendall(OK[:30])
                    return
                case 1:
                    reset(connection)
                    return
                case 2:
                    return
                case 3:
                    connection.sendall(OK + b"and more")
                case 4:
                    time.sleep(draws.random() * 0.6)
                case 5:
                    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nabc")
                    return
                case 6:
                    connection.sendall(OK[:20])
                    time.sleep(0.01)
                    connection.sendall(OK[20:])
                case _:
                    connection.sendall(OK)

    return handle


@pytest.mark.parametrize("concurrency", [None, 10])
@pytest.mark.parametrize("connections", [3, 100])
def test_whatever_a_service_does_each_request_ends_once(connections: int, concurrency: int | None) -> None:
    with service(whims(3)) as at:
        timeline = put_load(
            at.url, rate=200, seconds=0.4, connections=connections, timeout_s=0.4, concurrency=concurrency
        )
    found = endings(timeline)
    assert RequestEnding.UNDER_WAY not in found
    assert sum(found.values()) == len(timeline.due) == (80 if concurrency is None else len(timeline.due))
    assert set(found) <= set(RequestEnding) - {RequestEnding.REFUSED, RequestEnding.TLS, RequestEnding.UNREACHABLE}
    assert all(latency >= 0 for latency in timeline.latency)
    assert all(
        (status == 200) >= (code == RequestEnding.GOOD)
        for status, code in zip(timeline.status, timeline.ending, strict=True)
    )
