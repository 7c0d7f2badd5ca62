"""Addresses of this machine that no other machine can reach."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host is this machine's own: ``localhost``, or an address such as ``127.0.0.1`` or ``::1``.

    Nothing is looked up: any other name is not, whatever it stands for.
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
