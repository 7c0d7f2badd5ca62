"""A service that refuses what is too much, and some that do not bear it."""

from __future__ import annotations

import socket
import threading

import pytest
from tests.unit.load.services import OK, Handle, Service, answering, read_request, service

from penstock.foundation.errors import WorldError
from penstock.load.generator import GeneratorLimits
from penstock.load.load_request import find_destination, make_requests, parse_load_url
from penstock.load.overload import Overload, put_twice_the_load

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
FIRST, DOUBLE = 20, 40
"""Requests of each part: 100 a second for a fifth of a second, and twice that."""


def put(at: Service, timeout_s: float = 20.0) -> Overload:
    url = parse_load_url(at.url)
    return put_twice_the_load(
        find_destination(url),
        make_requests(url, method="", headers=(), bodies=()),
        rate=100,
        seconds=0.2,
        limits=GeneratorLimits(50, timeout_s),
    )


def counting(special: dict[int, str], holder: list[Service]) -> Handle:
    """Answers well, but from the n-th request on as is said for it."""
    one_at_a_time = threading.Lock()
    count = 0
    now = "good"

    def handle(connection: socket.socket) -> None:
        nonlocal count, now
        while read_request(connection):
            with one_at_a_time:
                count += 1
                now = special.get(count, now)
                if now == "die":
                    holder[0].vanish()
                    return
                if now != "hang":
                    connection.sendall(BUSY if now == "refuse" else OK)

    return handle


def with_special(special: dict[int, str], timeout_s: float = 20.0) -> Overload:
    holder: list[Service] = []
    with service(counting(special, holder)) as at:
        holder.append(at)
        return put(at, timeout_s)


def test_one_that_refuses_what_is_too_much() -> None:
    found = with_special({FIRST + 11: "refuse", FIRST + DOUBLE + 1: "good"})
    assert found.problem == ""
    assert found.refused == 30
    assert found.double is not None
    assert found.after is not None
    assert (found.normal.good, found.double.good, found.after.good) == (20, 10, 20)


def test_one_that_dies() -> None:
    found = with_special({FIRST + 5: "die"})
    assert found.problem == "at twice the load it took no connections any more"
    assert found.after is None


@pytest.mark.slow
def test_one_that_hangs_from_then_on() -> None:
    found = with_special({FIRST + DOUBLE + 1: "hang"}, timeout_s=1.0)
    assert found.problem == "after twice the load it answered nothing any more"


def test_one_that_never_worked() -> None:
    with service(answering(BUSY)) as at:
        found = put(at)
    assert found.problem == "it answered nothing at the load that it is made for"


def test_nothing_there() -> None:
    with service(answering(OK)) as at:
        pass
    with pytest.raises(WorldError, match="refused"):
        put(at)
