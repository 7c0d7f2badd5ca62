"""Requests go out when they are due; what becomes of each is counted once, whatever the service does."""

from __future__ import annotations

import contextlib
import gc
import math
import socket
import subprocess
import sys
import threading
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.load.services import OK, Handle, Service, answering, endings, put_load, read_request, reset, service

from penstock.foundation.errors import WorldError
from penstock.load.arrivals import constant_arrivals
from penstock.load.generator import Generator, GeneratorLimits, OpenLoop
from penstock.load.load_request import find_destination, make_requests, parse_load_url
from penstock.load.timeline import RequestEnding


def test_all_is_sent_when_due_and_answered() -> None:
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(OK)

    with service(handle) as at:
        timeline = put_load(at.url, rate=200, seconds=0.25)
    assert endings(timeline) == {RequestEnding.GOOD: 50}
    assert list(timeline.due) == pytest.approx([index / 200 for index in range(50)])
    assert set(timeline.status) == {200}
    assert all(0 <= late <= latency for late, latency in zip(timeline.late, timeline.latency, strict=True))
    assert all(sent >= due for sent, due in zip(timeline.sent, timeline.due, strict=True))
    assert len(seen) == 50
    assert len(set(seen)) == 1
    assert seen[0].startswith(b"GET /answer HTTP/1.1\r\nHost: 127.0.0.1:")
    assert gc.isenabled()
    assert timeline.cpu_share > 0


@pytest.mark.parametrize("connections", [1, 100])
def test_a_stall_delays_all_that_were_due_during_it(connections: int) -> None:
    # a client that waits for an answer before it sends the next request would note one late answer alone
    stall: list[float] = []
    one_at_a_time = threading.Lock()
    count = 0

    def handle(connection: socket.socket) -> None:
        nonlocal count
        while read_request(connection):
            with one_at_a_time:
                count += 1
                if count == 20:
                    stall.append(time.perf_counter())
                    time.sleep(0.4)
                    stall.append(time.perf_counter())
            connection.sendall(OK)

    with service(handle) as at:
        timeline = put_load(at.url, rate=200, seconds=0.6, connections=connections)
    assert endings(timeline) == {RequestEnding.GOOD: 120}
    due = [timeline.began + each for each in timeline.due]
    during = [index for index, at_s in enumerate(due) if stall[0] <= at_s <= stall[1]]
    assert len(during) >= 20
    assert all(due[index] + timeline.latency[index] >= stall[1] for index in during)
    assert timeline.connections <= connections


def test_what_could_not_be_sent_in_time_is_dropped() -> None:
    def handle(connection: socket.socket) -> None:
        while connection.recv(65536):
            pass

    with service(handle) as at:
        place = parse_load_url(at.url)
        requests = make_requests(place, method="", headers=(), bodies=())
        loop = OpenLoop(array("d", [0.0] * 10))
        timeline = Generator(find_destination(place), requests, loop, GeneratorLimits(2, 0.3)).run()
    # the two that have a connection are never answered; the others have none until their own time is over
    assert endings(timeline) == {RequestEnding.TIMEOUT: 2, RequestEnding.DROPPED: 8}
    never_sent = [math.isnan(sent) for sent in timeline.sent]
    assert never_sent == [code == RequestEnding.DROPPED for code in timeline.ending]
    assert all(latency >= 0.3 for latency in timeline.latency)
    assert timeline.samples() == {
        RequestEnding.TIMEOUT: "there was no answer 0.3 s after the request was due",
        RequestEnding.DROPPED: "no connection was free or could be made in time",
    }


def _reset_after_reading(connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def _close_after_reading(connection: socket.socket) -> None:
    read_request(connection)


@pytest.mark.parametrize("handle", [_reset_after_reading, _close_after_reading])
def test_a_connection_that_ends_without_an_answer_is_a_reset(handle: Handle) -> None:
    with service(handle) as at:
        timeline = put_load(at.url)
    assert endings(timeline) == {RequestEnding.RESET: 20}
    assert not timeline.resent


def test_a_kept_connection_that_was_closed_is_no_error_but_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    # it reads the second request and answers it with a closed connection, as a service does whose time was just over
    monkeypatch.setattr("penstock.load.generator.KEEP_ALIVE_RACE_S", 10.0)

    def handle(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(OK)
            read_request(connection)

    with service(handle) as at:
        timeline = put_load(at.url, rate=50, seconds=0.2)
    assert endings(timeline) == {RequestEnding.GOOD: 10}
    assert len(timeline.resent) >= 1


@pytest.mark.parametrize("close", [reset, socket.socket.close])
def test_a_request_that_a_kept_connection_loses_is_an_error(close: Handle) -> None:
    # it answers one, reads the next, works at it, and is gone
    def handle(connection: socket.socket) -> None:
        if read_request(connection):
            connection.sendall(OK)
            if read_request(connection):
                time.sleep(0.1)
                close(connection)

    with service(handle) as at:
        timeline = put_load(at.url, rate=20, seconds=0.3, connections=1)
    assert endings(timeline) == {RequestEnding.GOOD: 3, RequestEnding.RESET: 3}
    assert not timeline.resent


def test_connections_are_counted_when_they_are_made() -> None:
    with nine_answers() as at:
        timeline = put_load(at.url, rate=100, seconds=0.5)
    refused = endings(timeline)[RequestEnding.REFUSED]
    assert refused >= 1
    assert timeline.connections <= len(timeline.due) - refused


@contextlib.contextmanager
def nine_answers() -> Iterator[Service]:
    """A service that is killed as the tenth request comes."""
    holder: list[Service] = []
    one_at_a_time = threading.Lock()
    count = 0

    def handle(connection: socket.socket) -> None:
        nonlocal count
        while read_request(connection):
            with one_at_a_time:
                count += 1
                if count == 10:
                    holder[0].vanish()
                    return
                connection.sendall(OK)

    with service(handle) as at:
        holder.append(at)
        yield at


def test_a_port_that_closes_half_way_is_refused_from_then_on() -> None:
    with nine_answers() as at:
        timeline = put_load(at.url, rate=50, seconds=0.8)
    found = endings(timeline)
    assert found[RequestEnding.GOOD] == 9
    assert found[RequestEnding.REFUSED] >= 5
    assert found[RequestEnding.REFUSED] + found.get(RequestEnding.RESET, 0) == 31
    assert timeline.samples()[RequestEnding.REFUSED] == "the connection was refused"


def test_a_body_goes_whole_and_several_go_in_turn(tmp_path: Path) -> None:
    bodies = (tmp_path / "small.json", tmp_path / "large.bin")
    bodies[0].write_bytes(b'{"a": 1}')
    bodies[1].write_bytes(bytes(range(256)) * 20_000)
    seen: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            seen.append(request)
            connection.sendall(OK)

    with service(handle) as at:
        timeline = put_load(at.url, rate=20, bodies=bodies)
    assert endings(timeline) == {RequestEnding.GOOD: 4}
    received = Counter(request.partition(b"\r\n\r\n")[2] for request in seen)
    assert received == {bodies[0].read_bytes(): 2, bodies[1].read_bytes(): 2}
    assert all(request.startswith(b"POST ") for request in seen)


def test_an_answer_before_the_whole_request_was_read_counts(tmp_path: Path) -> None:
    body = tmp_path / "large.bin"
    body.write_bytes(bytes(20 << 20))

    def handle(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.5)

    with service(handle) as at:
        timeline = put_load(at.url, rate=10, bodies=(body,))
    assert endings(timeline) == {RequestEnding.STATUS: 2}
    assert set(timeline.status) == {413}


def test_a_closed_loop_has_so_many_under_way() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def handle(connection: socket.socket) -> None:
        nonlocal now, most
        while read_request(connection):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.02)
            with lock:
                now -= 1
            connection.sendall(OK)

    with service(handle) as at:
        timeline = put_load(at.url, concurrency=3, seconds=0.4)
    assert most == 3
    assert timeline.connections <= 3, "they are used again"
    assert set(timeline.ending) == {RequestEnding.GOOD}
    assert 3 <= len(timeline.due) <= 60
    assert 0 <= min(timeline.due) < max(timeline.due) < 0.4


@pytest.mark.slow
def test_a_closed_loop_on_a_port_that_closes_ends_with_its_time() -> None:
    with nine_answers() as at:
        timeline = put_load(at.url, concurrency=1, seconds=0.5)
    found = endings(timeline)
    assert found[RequestEnding.GOOD] == 9
    assert found[RequestEnding.REFUSED] >= 1
    assert RequestEnding.UNDER_WAY not in found


def test_stopping_keeps_what_was_measured() -> None:
    generators: list[Generator] = []

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(OK)
            # the same connection is used again only after its answer was read
            if read_request(connection):
                generators[0].stop()

    with service(handle) as at:
        place = parse_load_url(at.url)
        requests = make_requests(place, method="", headers=(), bodies=())
        loop = OpenLoop(constant_arrivals(50, 60))
        generators.append(Generator(find_destination(place), requests, loop, GeneratorLimits(10, 10.0)))
        timeline = generators[0].run()
    assert timeline.interrupted_s is not None
    assert endings(timeline)[RequestEnding.GOOD] >= 1
    assert len(timeline.due) < 3000


def test_nothing_there_is_the_worlds_failure() -> None:
    with service(answering(OK)) as at:
        url = at.url
    with pytest.raises(WorldError, match="the connection was refused"):
        put_load(url)


def test_the_standard_library_is_enough() -> None:
    # beside a model it runs on the driver's Python
    program = "import sys, penstock.load.generator, penstock.load.summary; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "penstock" in loaded
    assert not loaded & {"numpy", "httpx", "httpcore", "h11", "pydantic", "yaml", "psutil", "rich"}
