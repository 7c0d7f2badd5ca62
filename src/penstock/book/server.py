"""The book as a program: what it may be started with, and the HTTP server under it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from penstock.book.access import Door, Tickets
from penstock.book.shelf import Shelf
from penstock.book.workbench import Workbench
from penstock.foundation.errors import UsageError
from penstock.foundation.loopback import is_loopback
from penstock.services.listening import ListenAddress
from penstock.services.web_server import extra_serve, web_server
from penstock.store.s3_client import Patience
from penstock.store.store import Store

if TYPE_CHECKING:
    from uvicorn import Server

QUICK = Patience(connect_s=2, read_s=5, attempts=2)
"""How long S3 is waited for: a person waits for the page."""
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


def check_address(address: ListenAddress, door: Door) -> None:
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


def own_names(address: ListenAddress, door: Door) -> tuple[str, ...]:
    """The names that the book is asked for by where none is given: this machine's where nobody is asked who he is."""
    return (*LOOPBACK_NAMES, address.host.lower()) if door.open else ()


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
    """The server of a store's book. Run it on the socket of :func:`penstock.services.listening.bound`.

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
    with extra_serve("the release book"):
        from penstock.book.app import application
    names = tuple(name.lower() for name in hosts) or (LOOPBACK_NAMES if door.open else ())
    tickets = Tickets(key or secrets.token_bytes(32))
    shelf = Shelf(store)
    shelf.begin()
    return web_server(application(shelf, door, tickets, hosts=names, link_days=link_days, raters=raters, bench=bench))
