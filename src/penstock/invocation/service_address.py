"""Where a service is that runs already."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from penstock.foundation.errors import UsageError, WorldError, printable

CONNECT_S = 10.0
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ServiceAddress:
    """Where a service is."""

    origin: str
    """``http://host:8000``."""
    host: str
    port: int
    path: str
    """With its slash; empty if there is none. Percent-encoded."""

    def __str__(self) -> str:
        return f"{self.origin}{self.path}"


def read_address(url: str, *, where: str) -> ServiceAddress:
    """The address of a service, as it was given.

    Args:
        url: ``http://host:8000/path`` or ``https://…``.
        where: the option, for messages.

    Raises:
        UsageError: it is something else, or holds what is not to be recorded.
    """
    todo = "Example: http://127.0.0.1:8000"
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError as error:
        raise UsageError(f"this is no address of a service: {error}", where=where, todo=todo) from error
    if found.scheme not in PORTS or not found.hostname or any(c.isspace() or not c.isprintable() for c in url):
        raise UsageError(f"this is no address of a service: {printable(url)}", where=where, todo=todo)
    if found.username is not None or found.password is not None or found.query or found.fragment:
        what = "the address holds a user's name, a query or a fragment, and it is recorded"
        raise UsageError(what, where=where, todo="Leave them out: scheme, host, port and path.")
    shown = f"[{found.hostname}]" if ":" in found.hostname else found.hostname
    origin = f"{found.scheme}://{shown}" + (f":{port}" if port is not None else "")
    path = quote(found.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._")
    return ServiceAddress(origin, found.hostname, port if port is not None else PORTS[found.scheme], path)


def look_for(address: ServiceAddress) -> None:
    """Look whether something listens there; nothing is sent.

    Raises:
        WorldError: nothing does.
    """
    try:
        socket.create_connection((address.host, address.port), timeout=CONNECT_S).close()
    except OSError as error:
        raise WorldError(
            f"nothing answers at {address}: {printable(str(error))}",
            todo="Start the service, and look at host and port.",
        ) from error
