"""The book as a program: what it may be started with, and the HTTP server under it."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.book.access import Door, Tickets
from penstock.book.shelf import Shelf
from penstock.book.workbench import Workbench
from penstock.foundation.errors import UsageError, WorldError
from penstock.store.s3_client import Patience
from penstock.store.store import Store

if TYPE_CHECKING:
    from uvicorn import Server

QUICK = Patience(connect_s=2, read_s=5, attempts=2)
"""How long S3 is waited for: a person waits for the page."""
MAX_CONNECTIONS = 200
MAX_HEADER_BYTES = 16 << 10
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class BookAddress:
    """Where the book listens."""

    host: str
    port: int
    """0: any free one."""


def check_address(address: BookAddress, door: Door) -> None:
    """Check that nobody can read the book from elsewhere without being asked.

    Raises:
        UsageError: it would be open to everybody.
    """
    if not 0 <= address.port <= 65535:
        raise UsageError(f"{address.port} is not a port", where="--port")
    if door.open and not is_loopback(address.host):
        raise UsageError(
            f"on '{address.host[:100]}' everybody who can reach this machine could read the whole store",
            where="--host",
            todo="Give --tokens FILE or --user-header NAME, or leave --host out.",
        )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, which nobody else can reach."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def own_names(address: BookAddress, door: Door) -> tuple[str, ...]:
    """The names that the book is asked for by where none is given: this machine's where nobody is asked who he is."""
    return (*LOOPBACK_NAMES, address.host.lower()) if door.open else ()


def bound(address: BookAddress) -> socket.socket:
    """The socket that the book listens on.

    Raises:
        WorldError: the address is taken, or is not this machine's.
    """
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((address.host, address.port))
        found.listen()  # who is told the address may ask at once
    except (OSError, TypeError) as error:  # TypeError: what cannot be a name at all is not looked up
        found.close()
        raise WorldError(
            f"cannot listen: {getattr(error, 'strerror', None) or error}",
            where=f"{address.host[:100]}:{address.port}",
            todo="Choose another --port.",
        ) from None
    return found


def server(
    store: Store,
    door: Door,
    *,
    key: bytes | None = None,
    hosts: Sequence[str] = (),
    link_days: int = 7,
    raters: Door | None = None,
    bench: Workbench | None = None,
) -> Server:
    """The server of a store's book. Run it on the socket of :func:`bound`.

    Args:
        store: opened with :data:`QUICK`.
        door: who may read.
        key: signs links; ``None``: one of this process, whose links end with it.
        hosts: names that the book is asked for by, as of :func:`own_names`; where nobody is asked who he is, those of
            this machine.
        link_days: how long a link that is passed on holds.
        raters: who may rate, by tokens of their own; ``None``: nobody.
        bench: the workspace of runs in progress; ``None``: those are not shown.

    Raises:
        UsageError: the extra ``serve`` is not installed.
    """
    try:
        import uvicorn

        from penstock.book.app import application
        from penstock.book.punctual import PunctualProtocol
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        todo = "Install them: pip install 'penstock[serve]'"
        raise UsageError("the release book needs starlette and uvicorn", todo=todo) from None
    names = tuple(name.lower() for name in hosts) or (LOOPBACK_NAMES if door.open else ())
    tickets = Tickets(key or secrets.token_bytes(32))
    shelf = Shelf(store)
    shelf.begin()
    app = application(shelf, door, tickets, hosts=names, link_days=link_days, raters=raters, bench=bench)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,  # an address may hold a ticket
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        http=PunctualProtocol,
        ws="none",
        timeout_keep_alive=10,  # also until the first request
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)
