"""One connection of the generator: never blocks, carries one request at a time, is kept for the next.

Who owns it waits for the events that it wants, hands them in, and looks at what came of them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

from penstock.foundation.errors import WorldError, printable
from penstock.load.answer_reader import AnswerReader, BrokenAnswerError
from penstock.load.load_request import Destination, LoadRequest
from penstock.load.timeline import RequestEnding

READ_BYTES: Final = 64 << 10
READS_AT_ONCE: Final = 16
"""After so many reads the others get their turn."""
READ, WRITE = select.EPOLLIN | select.EPOLLRDHUP, select.EPOLLOUT
NO_REQUEST: Final = -1


class Stage(Enum):
    """What a connection is doing."""

    CONNECTING = "connecting"
    GREETING = "greeting"
    """TLS is being agreed on."""
    IDLE = "idle"
    BUSY = "busy"
    """It has a request."""
    ANSWERED = "answered"
    """The answer is whole; :meth:`LoadConnection.finish` makes it idle."""


class ConnectionBrokenError(Exception):
    """The connection is of no more use."""

    def __init__(self, ending: RequestEnding, message: str) -> None:
        super().__init__(message)
        self.ending = ending


class LoadConnection:
    """See the module's text.

    Raises:
        ConnectionBrokenError: it could not even be begun.
    """

    __slots__ = (
        "_left",
        "_send_failed",
        "_socket",
        "destination",
        "fileno",
        "last_request",
        "reader",
        "registered",
        "request",
        "sent_at",
        "served",
        "stage",
        "wants",
    )

    def __init__(self, destination: Destination) -> None:
        self.destination = destination
        self._left = memoryview(b"")
        self._send_failed = False
        self.reader = AnswerReader("GET")
        self.request = NO_REQUEST
        """Which one it carries."""
        self.last_request = NO_REQUEST
        """Which one it carried before."""
        self.sent_at = 0.0
        """When that began to be sent, by ``time.perf_counter``."""
        self.served = 0
        """How many answers have come on it."""
        self.stage = Stage.CONNECTING
        self.wants = WRITE
        """The events to wait for."""
        self.registered = 0
        """Its owner's note: those that are waited for."""
        self._socket = _begun(destination)
        self.fileno = self._socket.fileno()

    def close(self) -> None:
        """Close it at once, whatever it carries."""
        self._socket.close()

    def wait(self, seconds: float) -> None:
        """Wait for what it needs next, and go on.

        Raises:
            ConnectionBrokenError: that failed, or took longer.
        """
        poll = select.poll()
        poll.register(self.fileno, self.wants)
        found = poll.poll(seconds * 1000) if seconds > 0 else []
        if not found:
            what = "the answer was not whole in time" if self.reader.started else "nothing came in time"
            raise ConnectionBrokenError(RequestEnding.TIMEOUT, what)
        self.on_events(found[0][1])

    def send(self, index: int, request: LoadRequest, keep: Callable[[bytes], None] | None = None) -> None:
        """Begin a request on an idle connection; ``keep`` takes the pieces of the answer's body."""
        self.request = index
        self.stage = Stage.BUSY
        self.reader = AnswerReader(request.method, keep)
        self._left = memoryview(request.content)
        self.sent_at = time.perf_counter()
        self._send_failed = False
        self._send_more()

    def finish(self) -> bool:
        """The answer has been looked at. Returns whether another request may follow."""
        self.served += 1
        self.last_request, self.request = self.request, NO_REQUEST
        self.stage = Stage.IDLE
        return self.reader.reusable and not self._left and not self._send_failed

    def on_events(self, events: int) -> None:
        """Go on, now that there are these events.

        Raises:
            ConnectionBrokenError: it, or the answer, is broken; the request on it, if there is one, has failed.
        """
        if self.stage is Stage.CONNECTING:
            problem = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if problem:
                raise _failed_connect(problem)
            self._connected()
        elif self.stage is Stage.GREETING:
            self._greet()
        elif self.stage is Stage.IDLE:
            self._look_while_idle()
        else:
            if events & select.EPOLLOUT and self._left:
                self._send_more()
            if events & ~select.EPOLLOUT:
                self._receive()
            if events & (select.EPOLLRDHUP | select.EPOLLHUP):
                self.reader.reusable = False

    def _connected(self) -> None:
        tls = self.destination.tls
        if tls is None:
            self.stage, self.wants = Stage.IDLE, READ
            return
        try:
            self._socket = tls.wrap_socket(
                self._socket, server_hostname=self.destination.host, do_handshake_on_connect=False
            )
        except ssl.SSLError as error:
            raise ConnectionBrokenError(RequestEnding.TLS, f"TLS could not be begun: {_why(error)}") from error
        except (OSError, ValueError) as error:
            # the other side broke the connection as soon as it was made; or the name cannot be that of a certificate
            words = _words(error) if isinstance(error, OSError) else printable(str(error))
            raise ConnectionBrokenError(RequestEnding.RESET, words) from error
        self.stage = Stage.GREETING
        self._greet()

    def _greet(self) -> None:
        assert isinstance(self._socket, ssl.SSLSocket)  # noqa: S101 (for the type checker)
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            self.wants = READ
        except ssl.SSLWantWriteError:
            self.wants = WRITE
        except ssl.SSLCertVerificationError as error:
            why = printable(error.verify_message)
            raise ConnectionBrokenError(
                RequestEnding.TLS, f"the service's certificate is not trusted: {why}"
            ) from error
        except ssl.SSLError as error:
            raise ConnectionBrokenError(RequestEnding.TLS, f"TLS could not be agreed on: {_why(error)}") from error
        except OSError as error:
            raise ConnectionBrokenError(RequestEnding.RESET, _words(error)) from error
        else:
            self.stage, self.wants = Stage.IDLE, READ

    def _send_more(self) -> None:
        try:
            while self._left:
                self._left = self._left[self._socket.send(self._left) :]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self.wants = READ | WRITE
            return
        except OSError:
            # an answer may lie there all the same ("too large"); reading says what there is
            self._left = memoryview(b"")
            self._send_failed = True
        self.wants = READ

    def _read(self) -> bytes | None:
        """What has come; empty once the other side has closed the connection; ``None`` if nothing has."""
        try:
            return self._socket.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLError as error:
            # an OSError, too, whose number is OpenSSL's and no system's
            raise ConnectionBrokenError(RequestEnding.TLS, f"TLS failed: {_why(error)}") from error
        except OSError as error:
            raise ConnectionBrokenError(RequestEnding.RESET, _words(error)) from error

    def _receive(self) -> None:
        try:
            for _ in range(READS_AT_ONCE):
                data = self._read()
                if data is None:
                    return
                if not data:
                    self._closed()
                    return
                if self.reader.feed(data):
                    self.stage = Stage.ANSWERED
                    return
                if len(data) < READ_BYTES and self.destination.tls is None:
                    return
        except BrokenAnswerError as error:
            raise ConnectionBrokenError(RequestEnding.BROKEN, str(error)) from error

    def _closed(self) -> None:
        if not self.reader.started:
            raise ConnectionBrokenError(RequestEnding.RESET, "the connection was closed without an answer")
        self.reader.end()
        self.stage = Stage.ANSWERED

    def _look_while_idle(self) -> None:
        data = self._read()
        if data is None:
            return
        if data and not data.startswith(b"HTTP/"):
            raise ConnectionBrokenError(RequestEnding.BROKEN, "more came than the answer had said")
        # closed, or a word about why it will be ("408 Request Timeout"): of use to nobody any more
        raise ConnectionBrokenError(RequestEnding.RESET, "the connection was closed")


def first_connection(destinations: Sequence[Destination], seconds: float) -> LoadConnection:
    """An idle connection to the first of these that takes one within so many seconds.

    Raises:
        WorldError: none does.
    """
    problem = ConnectionBrokenError(RequestEnding.UNREACHABLE, "there is no address")
    for destination in destinations:
        deadline = time.perf_counter() + seconds
        try:
            connection = LoadConnection(destination)
            try:
                while connection.stage is not Stage.IDLE:
                    connection.wait(deadline - time.perf_counter())
            except BaseException:
                connection.close()
                raise
        except ConnectionBrokenError as error:
            problem = error
            continue
        return connection
    where = f"{destinations[0].host}, port {destinations[0].port}" if destinations else ""
    todo = "Start the service, or correct the URL."
    if problem.ending is RequestEnding.TLS:
        todo = "If the certificate is right, name the file of its authority in the variable SSL_CERT_FILE."
    raise WorldError(str(problem), where=where, todo=todo)


def _begun(destination: Destination) -> socket.socket:
    """A socket that never blocks, connected or being connected."""
    if destination.dial is not None:
        try:
            made = destination.dial()
        except OSError as error:
            raise _failed_connect(error.errno or errno.ECONNREFUSED) from error
    else:
        try:
            made = socket.socket(destination.family, socket.SOCK_STREAM)
        except OSError as error:
            raise ConnectionBrokenError(RequestEnding.UNREACHABLE, _words(error)) from error
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if destination.dial is None:
        problem = made.connect_ex(destination.address)
        if problem not in (0, errno.EINPROGRESS):
            made.close()
            raise _failed_connect(problem)
    return made


def _failed_connect(number: int) -> ConnectionBrokenError:
    if number == errno.ECONNREFUSED:
        return ConnectionBrokenError(RequestEnding.REFUSED, "the connection was refused")
    if number == errno.ECONNRESET:
        return ConnectionBrokenError(RequestEnding.RESET, "the connection was reset")
    if number == errno.EADDRNOTAVAIL:
        # a closed connection keeps its port for a minute
        why = "no local port is left for another connection: the service closes each after one answer"
        return ConnectionBrokenError(RequestEnding.UNREACHABLE, why)
    return ConnectionBrokenError(RequestEnding.UNREACHABLE, f"the connection failed: {os.strerror(number)}")


def _why(error: ssl.SSLError) -> str:
    """OpenSSL's own words."""
    return printable(error.reason or str(error))


def _words(error: OSError) -> str:
    if isinstance(error, ConnectionResetError):
        return "the connection was reset"
    with contextlib.suppress(ValueError, TypeError):
        return os.strerror(error.errno or 0) if error.errno else printable(str(error))
    return printable(str(error))
