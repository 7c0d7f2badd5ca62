"""Where a service listens."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from penstock.foundation.errors import WorldError


@dataclass(frozen=True)
class ListenAddress:
    """An address of this machine."""

    host: str
    port: int
    """0: any free one."""


def bound(address: ListenAddress) -> socket.socket:
    """A socket that listens: who is told its address may ask at once.

    Raises:
        WorldError: the address is taken, or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address.host, address.port))
        found.listen()
    except (OSError, OverflowError, TypeError) as error:  # TypeError: what cannot be a name at all is not looked up
        found.close()
        raise WorldError(
            f"cannot listen: {getattr(error, 'strerror', None) or error}",
            where=f"{address.host[:100]}:{address.port}",
            todo="Choose another port.",
        ) from None
    return found
