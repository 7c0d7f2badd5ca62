"""What comes to the doorway's port reaches the service, byte by byte, and nothing else does."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from penstock.invocation import doorway
from penstock.invocation.doorway import Doorway

LIMIT_S = 10.0


class Echo:
    """A service that sends back what it gets, once it has all of it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.asked = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.asked += 1
            threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client:
            client.sendall(all_of(client)[::-1])

    def connect(self, timeout_s: float) -> socket.socket:
        """As the model's launcher does it: the connection may still be being made."""
        made = socket.socket()
        made.setblocking(False)
        made.connect_ex(("127.0.0.1", self.port))
        return made


def all_of(connection: socket.socket) -> bytes:
    content = b""
    while data := connection.recv(1 << 16):
        content += data
    return content


@pytest.fixture
def echo() -> Iterator[Echo]:
    service = Echo()
    yield service
    service.listener.close()


def ask(port: int, content: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), LIMIT_S) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        return all_of(connection)


def test_passes_on_both_ways_until_both_have_said_all(echo: Echo) -> None:
    with Doorway(echo.connect) as door:
        assert ask(door.port, b"abc") == b"cba"
        large = bytes(range(256)) * 20_000
        assert ask(door.port, large) == large[::-1]
    assert echo.asked == 2


def test_it_listens_on_the_loopback_only_and_no_longer_than_the_block(echo: Echo) -> None:
    with Doorway(echo.connect) as door:
        assert door._listener.getsockname()[0] == "127.0.0.1"
    with pytest.raises(OSError, match="refused"):
        ask(door.port, b"abc")


def test_a_connection_that_cannot_be_passed_on_is_closed(echo: Echo) -> None:
    echo.listener.close()
    with Doorway(echo.connect) as door:
        assert ask(door.port, b"") == b""


def test_leaving_the_block_ends_a_connection_that_hangs(echo: Echo) -> None:
    with Doorway(echo.connect) as door:
        hanging = socket.create_connection(("127.0.0.1", door.port), LIMIT_S)
        deadline = time.monotonic() + LIMIT_S
        while echo.asked == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
    with hanging:
        assert hanging.recv(1) == b""


def test_more_connections_than_it_takes_have_to_wait(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorway, "MAX_CONNECTIONS", 2)
    with Doorway(echo.connect) as door:
        first, second = (socket.create_connection(("127.0.0.1", door.port), LIMIT_S) for _ in range(2))
        with socket.create_connection(("127.0.0.1", door.port), LIMIT_S) as third:
            third.settimeout(0.3)
            third.sendall(b"x")
            third.shutdown(socket.SHUT_WR)
            with pytest.raises(TimeoutError):
                third.recv(1)
            assert echo.asked == 2
            first.close()
            third.settimeout(LIMIT_S)
            assert third.recv(1) == b"x"
        second.close()
