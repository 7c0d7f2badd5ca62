"""Sends requests when they are due, whether or not earlier ones are answered, and notes what became of each.

One thread and one ``epoll``. A connection is taken from those that are idle (the one that was used last), else another
is made, up to a number; where there is none, requests wait in line, and their waiting is part of their latency. Each
has the same time, counted from the moment at which it was due. So the line of those under way is in order of their
deadlines, too.
"""

from __future__ import annotations

import contextlib
import gc
import math
import select
import time
from array import array
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from penstock.load.connection import NO_REQUEST, ConnectionBrokenError, LoadConnection, Stage, first_connection
from penstock.load.connection_limit import allow_connections
from penstock.load.load_request import Destination, LoadRequest
from penstock.load.timeline import RequestEnding, Timeline

HEAD_START_S: Final = 0.02
"""From the call to the first request's being due."""
LONGEST_WAIT_S: Final = 0.1
"""So often it is looked whether to stop."""
EVENTS_AT_ONCE: Final = 64
BEGUN_AT_ONCE: Final = 16
MAX_REQUESTS: Final = 5_000_000
FIRST_CONNECTION_S: Final = 10.0
KEEP_ALIVE_RACE_S: Final = 0.005
"""A kept connection that ends so soon after a request was sent on it was being closed already. What ends later had time
to read the request, and has lost it."""


@dataclass(frozen=True)
class OpenLoop:
    """Requests that are due at stated times, in seconds from the beginning, sorted."""

    due: array[float]


@dataclass(frozen=True)
class ClosedLoop:
    """So many requests at a time, each due when the one before it has ended, for so many seconds."""

    concurrency: int
    seconds: float


@dataclass(frozen=True)
class GeneratorLimits:
    """What a generator may take."""

    connections: int
    """At the same time."""
    timeout_s: float
    """For one request, from the moment at which it was due."""


class Generator:
    """See the module's text.

    Args:
        destinations: where the host may be; the first that takes a connection is used.
        requests: sent in turn.
        loop: when they are due.
        limits: of connections and time.
        progress: called some times a second with the timeline as it is.

    Raises:
        UsageError: this machine does not let a process have so many connections.
        WorldError: no connection could be made at all.
    """

    def __init__(
        self,
        destinations: Sequence[Destination],
        requests: Sequence[LoadRequest],
        loop: OpenLoop | ClosedLoop,
        limits: GeneratorLimits,
        *,
        progress: Callable[[Timeline], None] | None = None,
    ) -> None:
        allow_connections(limits.connections)
        self.timeline = Timeline()
        self._requests = requests
        self._loop = loop
        self._limits = limits
        self._progress = progress
        self._progress_at = 0.0
        self._stopped = False
        self._began = 0.0
        self._next = 0
        self._free = loop.concurrency if isinstance(loop, ClosedLoop) else 0
        """Of a closed loop: how many more may be under way."""
        self._connections: dict[int, LoadConnection] = {}
        self._idle: dict[LoadConnection, None] = {}
        """In the order in which they became idle."""
        self._waiting: deque[int] = deque()
        self._under_way: deque[int] = deque()
        """All that have not ended, in the order in which they were due, and some that have."""
        self._carriers: dict[int, LoadConnection] = {}
        """Request → the connection that carries it."""
        self._opening: dict[LoadConnection, float] = {}
        """Connections that are being made, in the order of their deadlines."""
        self._poll = select.epoll()
        try:
            first = first_connection(destinations, min(FIRST_CONNECTION_S, limits.timeout_s))
            self._destination = first.destination
            self._keep(first)
            self.timeline.connections += 1
            self._idle[first] = None
        except BaseException:
            self._poll.close()
            raise

    def stop(self) -> None:
        """End early, within a tenth of a second; may be called from a signal's handler."""
        self._stopped = True

    def run(self) -> Timeline:
        """Send all, wait for the answers, close the connections. Can be called once."""
        with _without_garbage_collection():
            began, used = time.perf_counter(), time.process_time()
            try:
                self._began = self.timeline.began = time.perf_counter() + HEAD_START_S
                while not self._done():
                    self._turn()
                self.timeline.cpu_share = (time.process_time() - used) / (time.perf_counter() - began)
                if self._stopped:
                    self.timeline.interrupted_s = self._now()
            finally:
                for connection in self._connections.values():
                    connection.close()
                self._poll.close()
        return self.timeline

    # the loop

    def _now(self) -> float:
        return time.perf_counter() - self._began

    def _done(self) -> bool:
        if self._stopped:
            return True
        return self._next_due(self._now()) is None and not self._under_way

    def _next_due(self, now: float) -> float | None:
        """When the next request is due; ``None`` if there is no other."""
        loop = self._loop
        if isinstance(loop, OpenLoop):
            return loop.due[self._next] if self._next < len(loop.due) else None
        if now >= loop.seconds or len(self.timeline.due) >= MAX_REQUESTS:
            return None
        return max(now, 0.0) if self._free > 0 else loop.seconds

    def _turn(self) -> None:
        now = self._now()
        self._begin_due(now)
        self._expire(self._now())
        if self._progress is not None and now >= self._progress_at:
            self._progress_at = now + 0.25
            self._progress(self.timeline)
        self._wait()
        for number, events in self._poll.poll(0, EVENTS_AT_ONCE):
            connection = self._connections.get(number)
            if connection is not None:
                self._on_events(connection, events)
            self._begin_due(self._now())

    def _wait(self) -> None:
        """Until something comes, or something is due. ``epoll`` itself would round that up to a millisecond."""
        until = self._next_due(self._now())
        while self._under_way and self.timeline.ending[self._under_way[0]] != RequestEnding.UNDER_WAY:
            self._under_way.popleft()
        if self._under_way:
            deadline = self.timeline.due[self._under_way[0]] + self._limits.timeout_s
            until = deadline if until is None else min(until, deadline)
        if until is None:
            return
        seconds = min(until - self._now(), LONGEST_WAIT_S)
        if seconds > 0:
            select.select([self._poll.fileno()], [], [], seconds)

    def _begin_due(self, now: float) -> None:
        """Begin requests that are due by now; not all of a crowd at once, so that answers are read between them."""
        for _ in range(BEGUN_AT_ONCE):
            due = self._next_due(now)
            if due is None or due > now:
                return
            self._begin(due)
            now = self._now()

    def _begin(self, due: float) -> None:
        now = self._now()
        index = self.timeline.add(due, now - due)
        self._next += 1
        self._free -= 1
        self._under_way.append(index)
        if due + self._limits.timeout_s < now:
            self._end(index, RequestEnding.DROPPED, now)
            return
        self._waiting.append(index)
        if self._idle:
            self._carry(self._idle.popitem()[0])
        else:
            self._open()

    def _expire(self, now: float) -> None:
        """End the requests, and give up the connections, whose time is over."""
        line, endings = self._under_way, self.timeline.ending
        while line:
            index = line[0]
            if endings[index] == RequestEnding.UNDER_WAY and self.timeline.due[index] + self._limits.timeout_s > now:
                break
            line.popleft()
            if endings[index] != RequestEnding.UNDER_WAY:
                continue
            connection = self._carriers.get(index)
            if connection is None:
                self._waiting.remove(index)
                self._end(index, RequestEnding.DROPPED, now, "no connection was free or could be made in time")
            else:
                self._end(index, RequestEnding.TIMEOUT, now, self._unanswered(connection))
                self._discard(connection)
        while self._opening:
            connection, deadline = next(iter(self._opening.items()))
            if deadline > now:
                break
            self._discard(connection)
            self.timeline.failed_connections += 1

    def _unanswered(self, connection: LoadConnection) -> str:
        begun = "the answer was not whole" if connection.reader.started else "there was no answer"
        return f"{begun} {self._limits.timeout_s:g} s after the request was due"

    # connections

    def _keep(self, connection: LoadConnection) -> None:
        self._connections[connection.fileno] = connection
        self._poll.register(connection.fileno, connection.wants)
        connection.registered = connection.wants

    def _open(self) -> None:
        """Make another connection for the requests that wait, if there may be one."""
        if len(self._connections) >= self._limits.connections or len(self._opening) >= len(self._waiting):
            return
        try:
            connection = LoadConnection(self._destination)
        except ConnectionBrokenError as error:
            self._failed_to_open(error)
            return
        self._keep(connection)
        self._opening[connection] = self._now() + self._limits.timeout_s

    def _failed_to_open(self, error: ConnectionBrokenError) -> None:
        """The request that waits longest fails with it."""
        if self._waiting:
            self._end(self._waiting.popleft(), error.ending, self._now(), str(error))
        else:
            self.timeline.failed_connections += 1

    def _carry(self, connection: LoadConnection) -> None:
        """Send the request that waits longest on an idle connection."""
        index = self._waiting.popleft()
        if math.isnan(self.timeline.sent[index]):
            self.timeline.sent[index] = self._now()
        self._carriers[index] = connection
        connection.send(index, self._requests[index % len(self._requests)])
        self._watch(connection)

    def _watch(self, connection: LoadConnection) -> None:
        if connection.wants != connection.registered:
            self._poll.modify(connection.fileno, connection.wants)
            connection.registered = connection.wants

    def _discard(self, connection: LoadConnection) -> None:
        self._connections.pop(connection.fileno, None)
        self._opening.pop(connection, None)
        self._idle.pop(connection, None)
        with contextlib.suppress(OSError):
            self._poll.unregister(connection.fileno)
        connection.close()
        if self._waiting:
            self._open()

    # what comes

    def _on_events(self, connection: LoadConnection, events: int) -> None:
        opening = connection in self._opening
        try:
            connection.on_events(events)
        except ConnectionBrokenError as error:
            self._broken(connection, error, opening=opening)
            return
        if opening and connection.stage is Stage.IDLE:
            del self._opening[connection]
            self.timeline.connections += 1
            self._next_on(connection)
        elif connection.stage is Stage.ANSWERED:
            self._answered(connection)
        else:
            self._watch(connection)

    def _answered(self, connection: LoadConnection) -> None:
        index, status = connection.request, connection.reader.status
        del self._carriers[index]
        if 200 <= status < 300:
            self._end(index, RequestEnding.GOOD, self._now(), status=status)
        else:
            self._end(index, RequestEnding.STATUS, self._now(), f"the service answered {status}", status=status)
        if connection.finish():
            self._next_on(connection)
        else:
            self._discard(connection)

    def _next_on(self, connection: LoadConnection) -> None:
        if self._waiting:
            self._carry(connection)
        else:
            self._watch(connection)
            self._idle[connection] = None

    def _broken(self, connection: LoadConnection, error: ConnectionBrokenError, *, opening: bool) -> None:
        index = connection.request
        if opening:
            self._failed_to_open(error)
        elif index == NO_REQUEST:
            self._broken_while_idle(connection, error)
        else:
            del self._carriers[index]
            if error.ending is RequestEnding.RESET and _was_closing(connection):
                # the service closed the kept connection while the request was on its way: as browsers do, it is sent
                # again on another one (RFC 9110, 9.2.2)
                self.timeline.resent.append(index)
                self._waiting.appendleft(index)
            else:
                self._end(index, error.ending, self._now(), str(error), status=connection.reader.status)
        self._discard(connection)

    def _broken_while_idle(self, connection: LoadConnection, error: ConnectionBrokenError) -> None:
        """Bytes after the end of an answer say that the answer was not what it had said it was."""
        index = connection.last_request
        if (
            error.ending is RequestEnding.BROKEN
            and index != NO_REQUEST
            and self.timeline.ending[index] == RequestEnding.GOOD
        ):
            self.timeline.end(index, error.ending, self._now(), message=str(error))

    def _end(self, index: int, ending: RequestEnding, now: float, message: str = "", *, status: int = 0) -> None:
        self._free += 1
        self.timeline.end(index, ending, now, status=status, message=message)


def _was_closing(connection: LoadConnection) -> bool:
    """Whether a connection that ended was a kept one on which the request came just too late."""
    soon = time.perf_counter() - connection.sent_at <= KEEP_ALIVE_RACE_S
    return soon and connection.served > 0 and not connection.reader.started


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A collection takes milliseconds, during which nothing is sent; nothing here needs one."""
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
