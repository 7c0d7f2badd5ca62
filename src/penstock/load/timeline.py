"""What became of each request, in the order in which they were due."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from enum import IntEnum


class RequestEnding(IntEnum):
    """What became of a request."""

    UNDER_WAY = 0
    GOOD = 1
    """A whole answer with a status of 200 to 299."""
    DROPPED = 2
    """Never sent: no connection was free, or could be made, within the timeout from the moment at which it was due."""
    STATUS = 3
    """A whole answer with another status; redirects are not followed."""
    TIMEOUT = 4
    """Sent, and not wholly answered within the timeout from the moment at which it was due."""
    REFUSED = 5
    """The connection was refused."""
    RESET = 6
    """The connection was closed or reset before an answer began, or reset during it."""
    BROKEN = 7
    """What came is no HTTP answer, is not whole, or is larger than what is read of one."""
    TLS = 8
    """The certificate is not trusted, or there was another failure of TLS."""
    UNREACHABLE = 9
    """The connection failed otherwise."""


ERRORS = (
    RequestEnding.STATUS,
    RequestEnding.TIMEOUT,
    RequestEnding.REFUSED,
    RequestEnding.RESET,
    RequestEnding.BROKEN,
    RequestEnding.TLS,
    RequestEnding.UNREACHABLE,
)
NOT_YET = math.nan


@dataclass
class Timeline:
    """One entry a request in each array. Times are seconds; ``due`` and ``sent`` count from the beginning.

    ``late``: from the moment at which a request was due to that at which the generator got to it. ``sent``: when its
    first byte was handed to the kernel, NaN where that never was. ``latency``: from the moment at which it was due to
    the end of its answer, or to its failure; NaN while it is under way. ``status``: that of the answer, or 0.
    """

    began: float = 0.0
    """The beginning by ``time.perf_counter``."""
    due: array[float] = field(default_factory=lambda: array("d"))
    late: array[float] = field(default_factory=lambda: array("d"))
    sent: array[float] = field(default_factory=lambda: array("d"))
    latency: array[float] = field(default_factory=lambda: array("d"))
    ending: array[int] = field(default_factory=lambda: array("b"))
    status: array[int] = field(default_factory=lambda: array("h"))
    messages: dict[RequestEnding, tuple[int, str]] = field(default_factory=dict)
    """Of each kind of error: the last request, by its index, that had a message, and the message."""
    resent: array[int] = field(default_factory=lambda: array("l"))
    """The index of each request that was sent again on another connection, once for each time."""
    connections: int = 0
    """How many were made, TLS included."""
    failed_connections: int = 0
    """How many more could not be made, that no request was waiting for any longer."""
    cpu_share: float = 0.0
    """CPU seconds of this process for each second."""
    interrupted_s: float | None = None
    """Where it was ended early: after so many seconds."""

    def add(self, due: float, late: float) -> int:
        """A request that has become due; returns its index."""
        self.due.append(due)
        self.late.append(late)
        self.sent.append(NOT_YET)
        self.latency.append(NOT_YET)
        self.ending.append(RequestEnding.UNDER_WAY)
        self.status.append(0)
        return len(self.due) - 1

    def end(self, index: int, ending: RequestEnding, at: float, *, status: int = 0, message: str = "") -> None:
        """What became of a request, ``at`` seconds from the beginning."""
        self.ending[index] = ending
        self.latency[index] = at - self.due[index]
        self.status[index] = status
        if message and index >= self.messages.get(ending, (0, ""))[0]:
            self.messages[ending] = index, message

    def samples(self, first: int = 0) -> dict[RequestEnding, str]:
        """One message of each kind of error that a request had from the index ``first`` on: that of the last one."""
        return {ending: text for ending, (index, text) in sorted(self.messages.items()) if index >= first}
