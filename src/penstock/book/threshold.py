"""What every request passes and every answer carries, whatever it shows: who is let in, and what a browser may do."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.book.access import Door

log = logging.getLogger(__name__)

PROBED = "/healthz"
"""Asked for by an address, a pod's, and says nothing: whatever name it is asked by."""
FREE = ("/book.css", "/shared/")
"""What needs no reader: ``/shared/`` asks for a ticket itself."""
RATED = "/rate"
"""Below it, raters are let in, and nobody else: who reads the book knows which side is which."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # an address may hold a ticket
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
    "X-Robots-Tag": "noindex",
}


class Threshold:
    """The application behind a door. It stands outside of all handlers: none of them can be reached past it."""

    def __init__(self, app: ASGIApp, door: Door, *, hosts: Sequence[str], raters: Door | None = None) -> None:
        self.app = app
        self.door = door
        self.raters = raters
        self.hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self.app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        path = scope["path"]
        if path == PROBED:
            return None
        if self.hosts and _host(headers.get("host", "")) not in self.hosts:
            # without a door, a page of somebody else whose name leads here must not read the book
            return PlainTextResponse("The book is not known by this name.\n", status_code=421)
        if any(path == free or (free.endswith("/") and path.startswith(free)) for free in FREE):
            return None
        peer = scope["client"][0] if scope.get("client") else ""
        if self.raters is not None and (path == RATED or path.startswith(f"{RATED}/")):
            if self.raters.reader(headers, peer) is not None:
                return None
            asks = {"WWW-Authenticate": 'Basic realm="Penstock ratings: a rater\'s token as the password"'}
            return PlainTextResponse("Only raters with a token rate.\n", status_code=401, headers=asks)
        if self.door.reader(headers, peer) is not None:
            return None
        asks = {"WWW-Authenticate": 'Basic realm="Penstock: a token as the password", charset="UTF-8"'}
        return PlainTextResponse(
            "The book is read with a token, or through its proxy.\n",
            status_code=401,
            headers=asks if self.door.tokens else {},
        )


def _host(value: str) -> str:
    """The name in a ``Host`` header, without its port."""
    name = value.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]
