"""HTTP over connections that the model's launcher makes, so that a service in a network of its own is reached.

The launcher, which is in the model's network namespace, connects and hands the socket over (see
:mod:`penstock.invocation.launch`). From then on Penstock and the model speak directly.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpcore
import httpx

Connect = Callable[[int, float], socket.socket]
"""Port and seconds → a connected socket, or one that is being connected."""
NO_LIMIT_S = 3600.0
_ERRORS = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}


class HandedOver(httpx.BaseTransport):
    """A transport of httpx. Nothing is kept alive between requests."""

    def __init__(self, connect: Connect) -> None:
        self._pool = httpcore.ConnectionPool(
            max_connections=None, max_keepalive_connections=0, network_backend=_Network(connect)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the answer with its body unread.

        Raises:
            httpx.TransportError: the connection failed, or the other side does not speak HTTP.
        """
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(asked)
        except tuple(_ERRORS) as error:
            raise _ERRORS[type(error)](str(error), request=request) from error
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_stream()
        except tuple(_ERRORS) as error:
            raise _ERRORS[type(error)](str(error)) from error

    def close(self) -> None:
        self._answer.close()


class _Network(httpcore.NetworkBackend):
    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 (there is one: the model's own)
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        deadline = time.monotonic() + (NO_LIMIT_S if timeout is None else timeout)
        made: socket.socket | None = None
        try:
            made = self._connect(port, max(0.001, deadline - time.monotonic()))
            if not select.select([], [made], [], max(0.0, deadline - time.monotonic()))[1]:
                raise TimeoutError("timed out")
            if problem := made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise ConnectionError(problem, f"nothing listens on port {port}")
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            if made is not None:
                made.close()
            kind = httpcore.ConnectTimeout if isinstance(error, TimeoutError) else httpcore.ConnectError
            raise kind(str(error)) from error
        return _Stream(made)


class _Stream(httpcore.NetworkStream):
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._socket.settimeout(timeout)
        try:
            return self._socket.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._socket.settimeout(timeout)
        try:
            self._socket.sendall(buffer)
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        """``socket``, and whether it can be read, which is how a pool learns that the other side has closed it."""
        if info == "socket":
            return self._socket
        if info == "is_readable":
            return bool(select.select([self._socket], [], [], 0)[0]) if self._socket.fileno() >= 0 else True
        return None
