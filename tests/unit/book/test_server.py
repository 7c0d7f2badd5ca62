"""What the book may be started with, and the server under it."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import pytest

from penstock.book.access import Door
from penstock.book.server import check_address, own_names, server
from penstock.foundation.errors import UsageError
from penstock.services.listening import ListenAddress, bound
from penstock.store.local import LocalStore


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "book.example.org", ""])
def test_open_to_others_only_with_a_lock(host: str) -> None:
    with pytest.raises(UsageError, match="could read the whole store"):
        check_address(ListenAddress(host, 0), Door())
    check_address(ListenAddress(host, 0), Door(tokens={"0" * 64: "ann"}))
    check_address(ListenAddress(host, 0), Door(user_header="X-User"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_alone(host: str) -> None:
    check_address(ListenAddress(host, 0), Door())


def test_it_answers_to_the_address_that_it_listens_on() -> None:
    assert "127.9.9.9" in own_names(ListenAddress("127.9.9.9", 0), Door())
    assert "evil.example.org" not in own_names(ListenAddress("127.9.9.9", 0), Door())
    assert own_names(ListenAddress("0.0.0.0", 0), Door(user_header="X-User")) == ()  # who reads is asked: by any name


def test_a_port_that_is_none() -> None:
    with pytest.raises(UsageError, match="not a port"):
        check_address(ListenAddress("127.0.0.1", 70000), Door())


def test_over_http(made: LocalStore) -> None:
    book = server(made, Door())
    with bound(ListenAddress("127.0.0.1", 0)) as listening:
        at = f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread = threading.Thread(target=book.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not book.started and time.monotonic() < deadline:
                time.sleep(0.01)
            answer = httpx.get(f"{at}/")
            assert answer.status_code == 200
            assert "server" not in answer.headers
            with socket.create_connection(listening.getsockname(), 5) as raw:
                raw.sendall(b"GET /models/../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                assert raw.recv(100).startswith(b"HTTP/1.1 404")
        finally:
            book.should_exit = True
            thread.join(10)
