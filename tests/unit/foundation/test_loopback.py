"""Addresses of this machine alone."""

from __future__ import annotations

import pytest

from penstock.foundation.loopback import is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "192.0.2.1", "localhost.example.org", "127.0.0.1.example.org", "127.1", "[::1]"]
)
def test_others_can_reach_it(host: str) -> None:
    assert not is_loopback(host)
