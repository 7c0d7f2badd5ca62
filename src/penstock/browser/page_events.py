"""What a page does beside what it should: kept short, however much it says, and told as a fault where it may not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from penstock.foundation.errors import printable

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Download, Page, Request, WebSocket

MAX_LINES: Final = 500
MAX_TEXT: Final = 2000
MAX_ELSEWHERE: Final = 20
MAX_ADDRESS: Final = 200
NO_NETWORK: Final = ("data", "blob", "about")
SENDS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def short(text: str, size: int = MAX_TEXT) -> str:
    """At most ``size`` characters in one line, safe to print."""
    words = " ".join(text[: size * 2].split())
    return printable(words if len(words) <= size else f"{words[: size - 1]}…")


def address(url: str) -> str:
    """A URL for messages: without its query, which may be a photo."""
    parts = urlsplit(url[: MAX_ADDRESS * 10])
    place = f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.scheme
    return short(place, MAX_ADDRESS)


class PageEvents:
    """Listens to a browser's context, and writes ``console.jsonl`` as it comes."""

    def __init__(self, origin: str, console: Path) -> None:
        self._origin = origin
        self._console = console
        self.fault: str | None = None
        """The first thing that a page may not do."""
        self.lines = self.errors = 0
        self.elsewhere: list[str] = []
        self._first: Page | None = None

    def listen(self, context: BrowserContext, page: Page) -> None:
        """From now on, write down everything; what is refused is ended at once."""
        self._first = page
        context.on("page", self._opened)
        context.on("request", self._asked)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._line("error", f"uncaught: {error}"))
        page.on("dialog", self._dialog)
        page.on("download", self._download)
        page.on("crash", lambda _page: self._refuse("the page crashed the browser's tab"))
        page.on("websocket", self._socket)
        page.on("framenavigated", self._navigated)

    def _refuse(self, what: str) -> None:
        self.fault = self.fault or what
        self._line("penstock", what)

    def _said(self, message: ConsoleMessage) -> None:
        self._line(message.type, message.text)

    def _opened(self, page: Page) -> None:
        self._refuse("the page opened another window")
        page.close()

    def _dialog(self, dialog: Dialog) -> None:
        self._refuse(f"the page opened a dialog ({dialog.type}): {short(dialog.message, 200)}")
        dialog.dismiss()

    def _download(self, download: Download) -> None:
        self._refuse(f"the page started a download: {short(download.suggested_filename, 200)}")
        download.cancel()

    def _socket(self, socket: WebSocket) -> None:
        self._leads_elsewhere(socket.url.replace("ws", "http", 1))

    def _asked(self, request: Request) -> None:
        if not self._leads_elsewhere(request.url):
            return
        if request.is_navigation_request() and self._first is not None and request.frame == self._first.main_frame:
            self._refuse(f"the page leads elsewhere: {address(request.url)}")
        elif request.method in SENDS:
            self._refuse(f"the page sends data elsewhere: {request.method} {address(request.url)}")

    def _navigated(self, frame: Any) -> None:
        """A page may also leave without a request: to ``about:blank`` or a data URL."""
        page = self._first
        if page is not None and frame == page.main_frame and urlsplit(frame.url).scheme in NO_NETWORK:
            self._refuse(f"the page left for {address(frame.url)}")

    def _leads_elsewhere(self, url: str) -> bool:
        if url.startswith(f"{self._origin}/") or urlsplit(url[:MAX_ADDRESS]).scheme in NO_NETWORK:
            return False
        told = address(url)
        if told not in self.elsewhere and len(self.elsewhere) < MAX_ELSEWHERE:
            self.elsewhere.append(told)
            self._line("penstock", f"asked for {told}, which is not the service: not reached")
        return True

    def _line(self, kind: str, text: str) -> None:
        self.lines += 1
        self.errors += kind == "error"
        if self.lines > MAX_LINES:
            return
        line = {"type": short(kind, 40), "text": short(text)}
        if self.lines == MAX_LINES:
            line = {"type": "penstock", "text": f"more than {MAX_LINES} messages: the rest is not kept"}
        with self._console.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
