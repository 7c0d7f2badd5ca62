"""A probe that says the truth, one that says it too early, and one that never says it."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from tests.unit.load.services import OK, answering, read_request, service

from penstock.load.exchange import exchange
from penstock.load.load_request import LoadRequest, find_destination, parse_load_url
from penstock.load.readiness import Readiness, watch_readiness

PROBE = LoadRequest("GET", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
REAL = LoadRequest("POST", b"POST /recognize HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
BUSY = b"HTTP/1.1 503 Loading\r\nContent-Length: 0\r\n\r\n"


class Starting:
    """A service that loads its model until it was asked a few times."""

    def __init__(self, *, truthful: bool, probes: int = 3) -> None:
        self.truthful = truthful
        self.probes = probes
        self.lock = threading.Lock()

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            with self.lock:
                loaded = self.probes <= 0
                self.probes -= 1
                if request.startswith(b"GET /healthz"):
                    loaded = loaded or not self.truthful
            connection.sendall(OK if loaded else BUSY)


def watch(url: str, *, ready_timeout_s: float = 20.0) -> Readiness:
    place = find_destination(parse_load_url(url))[0]
    return watch_readiness(
        lambda: exchange(place, PROBE, 20.0), lambda: exchange(place, REAL, 20.0), ready_timeout_s=ready_timeout_s
    )


def test_the_truth() -> None:
    with service(Starting(truthful=True)) as at:
        found = watch(at.url)
    assert found.problem == ""
    assert found.not_ready_statuses == (503,)
    assert found.ready_s is not None
    assert found.answered_s is not None
    assert found.true_s == found.ready_s
    assert found.answered_s >= found.ready_s >= 0.1, "two probes came before, 50 ms apart"


def test_too_early_is_caught_by_the_first_real_answer() -> None:
    with service(Starting(truthful=False)) as at:
        found = watch(at.url)
    assert found.not_ready_statuses == ()
    assert found.too_early
    assert found.answered_s is not None
    assert found.true_s == found.answered_s >= 0.1, "two real requests came in vain, 50 ms apart"
    assert found.problem.startswith("it said that it was ready after ")
    assert found.problem.endswith("and was not: the service answered 503")


def test_ready_and_never_right() -> None:
    with service(Starting(truthful=False, probes=10_000)) as at:
        found = watch(at.url, ready_timeout_s=0.3)
    assert found.ready_s is not None
    assert (found.answered_s, found.true_s) == (None, None)


def test_never() -> None:
    with service(answering(BUSY)) as at:
        found = watch(at.url, ready_timeout_s=0.2)
    assert (found.ready_s, found.not_ready_statuses) == (None, (503,))
    assert found.problem == "it did not become ready: the service answered 503"


def test_a_port_that_opens_later() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/"

        def listen_later() -> None:
            time.sleep(0.15)
            held.listen()
            for _ in range(2):
                connection, _ = held.accept()
                with connection:
                    read_request(connection)
                    connection.sendall(OK)

        threading.Thread(target=listen_later, daemon=True).start()
        found = watch(url)
    assert found.problem == ""
    assert found.ready_s is not None
    assert found.ready_s >= 0.15


def test_a_service_that_ended_is_not_waited_for() -> None:
    with service(answering(OK)) as at:
        place = find_destination(parse_load_url(at.url))[0]
    began = time.monotonic()
    found = watch_readiness(
        lambda: exchange(place, PROBE, 20.0),
        lambda: exchange(place, REAL, 20.0),
        ready_timeout_s=60.0,
        running=lambda: False,
    )
    assert found.problem == "it did not become ready: the connection was refused"
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("probes", [1])
def test_what_the_first_real_request_met_is_kept(probes: int) -> None:
    with service(Starting(truthful=True, probes=probes)) as at:
        found = watch(at.url)
    assert found.first_real is not None
    assert found.first_real.status == 200
