"""Where a service listens."""

from __future__ import annotations

import socket

import pytest

from penstock.foundation.errors import WorldError
from penstock.services.listening import ListenAddress, bound


def test_who_connects_at_once_is_heard() -> None:
    with bound(ListenAddress("127.0.0.1", 0)) as listening:
        at = listening.getsockname()
        assert at[1] > 0
        with socket.create_connection(at, 5) as asking, listening.accept()[0] as heard:
            asking.sendall(b"hello")
            assert heard.recv(5) == b"hello"


def test_an_address_that_is_taken() -> None:
    with bound(ListenAddress("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(WorldError, match="cannot listen") as refused:
            bound(ListenAddress("127.0.0.1", port))
    assert f"127.0.0.1:{port}" in str(refused.value)


@pytest.mark.parametrize(("host", "port"), [("ä" * 80, 0), ("a\0b", 0), ("192.0.2.1", 0), ("127.0.0.1", 70000)])
def test_an_address_that_none_can_be(host: str, port: int) -> None:
    with pytest.raises(WorldError, match="cannot listen"):
        bound(ListenAddress(host, port))
