"""A port of this machine's loopback that leads to a model's service, which may be in a network of its own."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final

Connect = Callable[[float], socket.socket]
"""Seconds → a socket that is connected to the service, or is being connected."""
CONNECT_S: Final = 10.0
MAX_CONNECTIONS: Final = 64
READ_BYTES: Final = 1 << 16


class Doorway:
    """Passes on, byte by byte, every connection that comes to :attr:`port`. Use as a context manager.

    A connection that cannot be passed on is closed. More than :data:`MAX_CONNECTIONS` at a time have to wait.
    """

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=MAX_CONNECTIONS)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self.port: int = self._listener.getsockname()[1]
        """Where it listens."""

    def __enter__(self) -> Doorway:
        threading.Thread(target=self._accept, name="doorway", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._closed = True
            opened = list(self._open)
        for each in (self._listener, *opened):
            _end(each)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            self._free.acquire()
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._pass_on, args=(client,), name="doorway", daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        try:
            with client, contextlib.suppress(OSError), self._connected() as service:
                with self._lock:
                    if self._closed:
                        return
                    self._open |= {client, service}
                back = threading.Thread(target=_pump, args=(service, client), name="doorway", daemon=True)
                back.start()
                _pump(client, service)
                back.join()
                with self._lock:
                    self._open -= {client, service}
        finally:
            self._free.release()

    def _connected(self) -> socket.socket:
        service = self._connect(CONNECT_S)
        ready = select.select([], [service], [], CONNECT_S)[1]
        if not ready or service.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            service.close()
            raise ConnectionError("the service does not listen")
        service.setblocking(True)
        return service


def _pump(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes until the source says no more; the other way stays open."""
    try:
        while data := source.recv(READ_BYTES):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        _end(source)
        _end(target)


def _end(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
