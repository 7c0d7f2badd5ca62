"""Addresses of services that run already."""

from __future__ import annotations

import socket

import pytest

from penstock.foundation.errors import UsageError, WorldError
from penstock.invocation.service_address import ServiceAddress, look_for, read_address


@pytest.mark.parametrize(
    ("url", "address", "text"),
    [
        ("http://host:8000", ServiceAddress("http://host:8000", "host", 8000, ""), "http://host:8000"),
        ("https://Host/", ServiceAddress("https://host", "host", 443, ""), "https://host"),
        ("http://[::1]:80/a", ServiceAddress("http://[::1]:80", "::1", 80, "/a"), "http://[::1]:80/a"),
        ("http://h/a b/", None, ""),
        (
            "http://h/ä/%20/{x}/",
            ServiceAddress("http://h", "h", 80, "/%C3%A4/%20/%7Bx%7D"),
            "http://h/%C3%A4/%20/%7Bx%7D",
        ),
    ],
)
def test_what_an_address_says(url: str, address: ServiceAddress | None, text: str) -> None:
    if address is None:
        with pytest.raises(UsageError, match="no address"):
            read_address(url, where="--url")
        return
    found = read_address(url, where="--url")
    assert found == address
    assert str(found) == text


def test_whether_something_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        look_for(read_address(f"http://127.0.0.1:{port}", where=""))
    with pytest.raises(WorldError, match=f"nothing answers at http://127.0.0.1:{port}: "):
        look_for(read_address(f"http://127.0.0.1:{port}", where=""))
