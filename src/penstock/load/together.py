"""Whether requests that are put at the same time get the answers that each of them gets alone.

A service may take one at a time: the others wait, or are refused. What none may get is an answer to something else.
"""

from __future__ import annotations

import hashlib
import json
import math
import select
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from penstock.load.connection import ConnectionBrokenError, LoadConnection, Stage
from penstock.load.load_request import Destination, LoadRequest

ALONE: Final = 3
"""So often each is put alone: what differs between these says nothing."""
ROUNDS: Final = 4
LONGEST_S: Final = 600.0
"""For requests at the same time, unless one alone may take longer."""
MOST_COMPARED: Final = 1 << 20
"""Bytes of JSON that are compared value by value."""
TOLERANCE: Final = 1e-3
"""Of numbers in JSON: a batch is not computed in the same order as a single request."""

Values = dict[tuple[str | int, ...], Any]


class KeptBody:
    """An answer's body: its digest, and its bytes if they are few."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.content = bytearray()

    def take(self, piece: bytes) -> None:
        """The next piece."""
        self.digest.update(piece)
        if len(self.content) <= MOST_COMPARED:
            self.content += piece


@dataclass(frozen=True)
class KeptAnswer:
    """What came of a request."""

    status: int
    """0: no whole answer."""
    digest: bytes = b""
    values: Values | None = None
    """Of JSON; else ``None``."""

    @property
    def good(self) -> bool:
        """Whether it is one."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class OwnAnswer:
    """What a request gets alone, every time."""

    digest: bytes | None
    """``None``: not always the same bytes."""
    values: Values
    """Of JSON: those that are always the same. A time, or a number of the request, is none of them."""

    @classmethod
    def of(cls, alone: Sequence[KeptAnswer]) -> OwnAnswer | None:
        """What these answers have in common; ``None`` if one is no good answer, or they have nothing in common."""
        if not all(answer.good for answer in alone):
            return None
        first, *others = alone
        same_bytes = all(answer.digest == first.digest for answer in others)
        values: Values = {}
        if first.values is not None and all(answer.values is not None for answer in others):
            values = {
                place: value
                for place, value in first.values.items()
                if all(_has(answer.values or {}, place, value) for answer in others)
            }
        return cls(first.digest if same_bytes else None, values) if same_bytes or values else None

    def is_in(self, answer: KeptAnswer) -> bool:
        """Whether an answer says the same."""
        if answer.digest == self.digest:
            return True
        if not self.values or answer.values is None:
            return False
        return all(_has(answer.values, place, value) for place, value in self.values.items())


@dataclass(frozen=True)
class Together:
    """What came of putting requests at the same time."""

    requests: int
    """How many different ones there were whose answer alone says the same every time."""
    at_once: int
    """How many were put at the same time."""
    answered: int
    wrong: int
    """Of these: the answer was not that which the request gets alone."""
    refused: int
    """Status 400 and above."""
    failed: int
    """No whole answer."""
    sample: str = ""
    """What one of the wrong ones was."""


def put_together(
    destination: Destination, requests: Sequence[LoadRequest], *, at_once: int, timeout_s: float
) -> Together:
    """Put each request alone, then so many at the same time, some rounds of them.

    Args:
        destination: the service.
        requests: different ones.
        at_once: how many at the same time, 2 or more.
        timeout_s: for an answer alone; several at the same time have as much longer.
    """
    known: list[tuple[LoadRequest, OwnAnswer]] = []
    for request in requests:
        own = OwnAnswer.of(_alone(destination, request, timeout_s))
        if own is not None:
            known.append((request, own))
    answered = wrong = refused = failed = 0
    sample = ""
    for turn in range(ROUNDS if known else 0):
        put = [known[(turn + place) % len(known)] for place in range(at_once)]
        # one after the other is right, too
        limit_s = max(timeout_s, min(timeout_s * at_once, LONGEST_S))
        answers = answers_to(destination, [request for request, _ in put], limit_s)
        for (_, own), answer in zip(put, answers, strict=True):
            if not answer.good:
                refused += answer.status >= 400
                failed += answer.status < 400
                continue
            answered += 1
            if not own.is_in(answer):
                wrong += 1
                others = any(other.is_in(answer) for _, other in known)
                sample = "the answer to another request" if others else "neither its own answer nor another's"
        if not any(answer.status for answer in answers):
            break  # it answers no more, and each further round would take the whole time
    return Together(len(known), at_once, answered, wrong, refused, failed, sample)


def _alone(destination: Destination, request: LoadRequest, timeout_s: float) -> list[KeptAnswer]:
    """Some answers to a request alone, the last of them the first that is no good one."""
    found: list[KeptAnswer] = []
    while len(found) < ALONE and (not found or found[-1].good):
        found += answers_to(destination, [request], timeout_s)
    return found


def answers_to(destination: Destination, requests: Sequence[LoadRequest], timeout_s: float) -> list[KeptAnswer]:
    """Put these requests at the same time, each on a connection of its own, and read what comes of each."""
    deadline = time.perf_counter() + timeout_s
    connections: list[LoadConnection | None] = []
    bodies = [KeptBody() for _ in requests]
    try:
        connections.extend(_connected(destination, deadline) for _ in requests)
        for index, (connection, body) in enumerate(zip(connections, bodies, strict=True)):
            if connection is not None:
                connection.send(index, requests[index], body.take)
        _wait(connections, deadline)
        return [_kept(connection, body) for connection, body in zip(connections, bodies, strict=True)]
    finally:
        for connection in connections:
            if connection is not None:
                connection.close()


def flat(value: Any) -> Values:
    """The values of JSON by their place. What is in an empty list or object is that."""
    found: Values = {}
    left: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while left:
        place, here = left.pop()
        if isinstance(here, dict) and here:
            left += [((*place, name), inner) for name, inner in here.items()]
        elif isinstance(here, list) and here:
            left += [((*place, number), inner) for number, inner in enumerate(here)]
        else:
            found[place] = here
    return found


def _has(values: Values, place: tuple[str | int, ...], value: Any) -> bool:
    """Whether the same stands there, numbers within a thousandth."""
    if place not in values:
        return False
    other = values[place]
    if isinstance(value, int | float) and isinstance(other, int | float):
        try:
            return math.isclose(value, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        except OverflowError:  # a whole number that no float holds
            return value == other
    return type(value) is type(other) and bool(value == other)


def _connected(destination: Destination, deadline: float) -> LoadConnection | None:
    try:
        connection = LoadConnection(destination)
    except ConnectionBrokenError:
        return None
    try:
        while connection.stage is not Stage.IDLE:
            connection.wait(deadline - time.perf_counter())
    except ConnectionBrokenError:
        connection.close()
        return None
    return connection


def _wait(connections: list[LoadConnection | None], deadline: float) -> None:
    """Until each has its answer, or is broken: that one is closed, and ``None`` from then on."""
    while True:
        poll = select.poll()
        busy: dict[int, int] = {}
        for place, connection in enumerate(connections):
            if connection is not None and connection.stage is not Stage.ANSWERED:
                poll.register(connection.fileno, connection.wants)
                busy[connection.fileno] = place
        left = deadline - time.perf_counter()
        if not busy or left <= 0:
            return
        for number, events in poll.poll(left * 1000):
            place = busy[number]
            connection = connections[place]
            try:
                if connection is not None:
                    connection.on_events(events)
            except ConnectionBrokenError:
                if connection is not None:
                    connection.close()
                connections[place] = None


def _kept(connection: LoadConnection | None, body: KeptBody) -> KeptAnswer:
    if connection is None or connection.stage is not Stage.ANSWERED:
        return KeptAnswer(0)
    return KeptAnswer(connection.reader.status, body.digest.digest(), _json(bytes(body.content)))


def _json(body: bytes) -> Values | None:
    if len(body) > MOST_COMPARED or body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return flat(json.loads(body))
    except (ValueError, RecursionError):
        return None
