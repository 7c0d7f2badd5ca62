"""Requests at the same time: a service may refuse or wait, and must not mix up its answers."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.load.services import read_request, service

from penstock.load.load_request import Destination, LoadRequest
from penstock.load.together import KeptAnswer, OwnAnswer, Together, answers_to, flat, put_together

Answer = Callable[[bytes], bytes | None]


def at(port: int) -> Destination:
    return Destination("127.0.0.1", port, socket.AF_INET, ("127.0.0.1", port))


def ask(word: str) -> LoadRequest:
    return LoadRequest("POST", f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(word)}\r\n\r\n{word}".encode())


def http(body: bytes, status: int = 200) -> bytes:
    return b"HTTP/1.1 %d Any\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def put(answer: Answer, *words: str, at_once: int = 2, timeout_s: float = 10.0) -> Together:
    """What comes of a service whose answer to a word is this, ``None`` a broken connection."""

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            said = answer(request.partition(b"\r\n\r\n")[2])
            if said is None:
                return
            connection.sendall(said)

    with service(handle) as made:
        return put_together(
            at(made.port), [ask(word) for word in words or ("cat", "dog")], at_once=at_once, timeout_s=timeout_s
        )


def test_each_gets_its_own() -> None:
    found = put(http)
    assert found == Together(2, 2, answered=8, wrong=0, refused=0, failed=0)


@pytest.mark.slow
def test_one_that_answers_with_what_it_was_asked_last() -> None:
    """A variable that all requests share: alone nothing of it is seen."""
    last = [b""]

    def answer(word: bytes) -> bytes:
        last[0] = word
        time.sleep(0.25)  # long enough that on a busy machine, too, the other one comes meanwhile
        return http(last[0])

    found = put(answer)
    assert (found.requests, found.answered) == (2, 8)
    assert found.wrong == 4, "one of each round"
    assert found.sample == "the answer to another request"


def test_one_that_spoils_its_answers() -> None:
    busy = threading.Semaphore(1)

    def answer(word: bytes) -> bytes:
        if not busy.acquire(blocking=False):
            return http(word[:1] + b"?")
        time.sleep(0.05)
        busy.release()
        return http(word)

    found = put(answer)
    assert found.wrong == 4
    assert found.sample == "neither its own answer nor another's"


@pytest.mark.slow
def test_one_at_a_time_may_wait_or_be_refused() -> None:
    lock = threading.Lock()

    def waits(word: bytes) -> bytes:
        with lock:
            time.sleep(0.02)
            return http(word)

    def refuses(word: bytes) -> bytes:
        if not lock.acquire(blocking=False):
            return http(b"busy", 503)
        time.sleep(0.05)
        lock.release()
        return http(word)

    def breaks(word: bytes) -> bytes | None:
        if not lock.acquire(blocking=False):
            return None
        time.sleep(0.05)
        lock.release()
        return http(word)

    assert put(waits, at_once=3) == Together(2, 3, answered=12, wrong=0, refused=0, failed=0)
    assert put(refuses) == Together(2, 2, answered=4, wrong=0, refused=4, failed=0)
    assert put(breaks) == Together(2, 2, answered=4, wrong=0, refused=0, failed=4)


def test_what_differs_alone_says_nothing() -> None:
    count = iter(range(1000))

    def numbered(word: bytes) -> bytes:
        return http(b"%b %d" % (word, next(count)))

    def in_json(word: bytes) -> bytes:
        label = word.decode() if word == b"cat" else "dog"
        return http(json.dumps({"label": label, "score": 0.5 + 1e-5 * next(count), "id": next(count)}).encode())

    assert put(numbered).requests == 0
    assert put(numbered).answered == 0
    assert put(in_json) == Together(2, 2, answered=8, wrong=0, refused=0, failed=0)
    assert put(lambda _: http(b"no", 500)).requests == 0


def test_json_is_compared_value_by_value() -> None:
    own = OwnAnswer.of([KeptAnswer(200, b"1", flat(value)) for value in ({"a": [1.0, 2], "t": 3}, {"a": [1.0, 2]})])
    assert own is not None

    def same(value: Any) -> bool:
        return own is not None and own.is_in(KeptAnswer(200, b"2", flat(value)))

    assert same({"a": [1.0004, 2], "more": 1})
    assert not same({"a": [1.1, 2]})
    assert not same({"a": [1.0]})
    assert not same([])
    assert not same({"a": ["1.0", 2]})
    assert not own.is_in(KeptAnswer(200, b"2"))
    huge = OwnAnswer.of([KeptAnswer(200, b"1", flat([10**400, None, "x", {}]))])
    assert huge is not None
    assert huge.is_in(KeptAnswer(200, b"2", flat([10**400, None, "x", {}])))
    assert not huge.is_in(KeptAnswer(200, b"2", flat([1.5, None, "x", {}])))


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[1" + b"0" * 5000 + b"]", b'{"a": nope}', b"[" + b"1," * 10**6])
def test_json_that_cannot_be_read_is_bytes(body: bytes) -> None:
    found = put(lambda _: http(body))
    assert (found.requests, found.wrong) == (2, 0)


def test_one_that_answers_no_more_is_not_waited_for_again_and_again() -> None:
    alone = iter([http(b"cat"), http(b"cat"), http(b"cat"), http(b"dog"), http(b"dog"), http(b"dog")])
    asked: list[bytes] = []

    def answer(word: bytes) -> bytes | None:
        asked.append(word)
        return next(alone, None)

    assert put(answer) == Together(2, 2, answered=0, wrong=0, refused=0, failed=2)
    assert len(asked) == 8, "one round"
    asked.clear()
    assert put(answer).requests == 0
    assert len(asked) == 2, "once each"


def test_silence_and_nobody_there_end_with_the_time() -> None:
    def silent(connection: socket.socket) -> None:
        while connection.recv(1000):
            pass

    with service(silent) as made:
        assert answers_to(at(made.port), [ask("a"), ask("b")], 0.2) == [KeptAnswer(0)] * 2
        port = made.port
    assert answers_to(at(port), [ask("a")], 0.2) == [KeptAnswer(0)]
