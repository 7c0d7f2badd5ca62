"""What is sent, and where to: an address and headers validated, made bytes once."""

from __future__ import annotations

import io
import mimetypes
import re
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from penstock.foundation.errors import UsageError, WorldError, printable
from penstock.foundation.files import read_regular
from penstock.foundation.media_kinds import media_type_of

MAX_BODY_FILE_BYTES: Final = 256 << 20
MAX_URL_CHARACTERS: Final = 8000
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_OURS: Final = frozenset({"content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer"})
_DEFAULTS: Final = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "penstock-load"}
_BY_SUFFIX = mimetypes.MimeTypes()
"""Python's own list, not the machine's: the same type everywhere."""


@dataclass(frozen=True)
class Destination:
    """Where connections go: one address that the host's name stands for."""

    host: str
    port: int
    family: int
    address: Any
    """As :meth:`socket.socket.connect` takes it."""
    tls: ssl.SSLContext | None = None
    dial: Callable[[], socket.socket] | None = None
    """Makes a socket that is connected there, or is being connected, where ``address`` cannot be reached from here."""


@dataclass(frozen=True)
class LoadUrl:
    """A URL taken apart. ``shown`` holds no query: that may be a secret."""

    tls: bool
    host: str
    port: int
    target: str
    """Path and query, percent-encoded."""
    shown: str

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


@dataclass(frozen=True)
class LoadRequest:
    """A request as it goes over the wire."""

    method: str
    content: bytes


def parse_load_url(text: str) -> LoadUrl:
    """The parts of an ``http`` or ``https`` URL.

    Raises:
        UsageError: it is another, or holds a name and a password.
    """
    where = "URL"
    if len(text) > MAX_URL_CHARACTERS or not text.isprintable() or " " in text:
        raise UsageError("the URL is too long, or holds a space or a control character", where=where)
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise UsageError(f"the URL cannot be read: {error}", where=where) from error
    if parts.scheme not in ("http", "https"):
        raise UsageError(
            "the URL begins with neither http:// nor https://", where=where, todo="Write http://127.0.0.1:8080/healthz."
        )
    if "@" in parts.netloc:
        raise UsageError(
            "the URL holds a name or a password", where=where, todo="Send --header 'Authorization: …' in its place."
        )
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError as error:
        raise UsageError("the URL's host cannot be read", where=where) from error
    if not _HOST.fullmatch(host) or port == 0:
        raise UsageError("the URL has no host, or one that cannot be", where=where)
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    tls = parts.scheme == "https"
    return LoadUrl(
        tls=tls,
        host=host,
        port=port or (443 if tls else 80),
        target=f"{path}?{query}" if query else path,
        shown=f"{parts.scheme}://{parts.netloc}{path}" + ("?…" if query else ""),
    )


def make_requests(url: LoadUrl, *, method: str, headers: Sequence[str], bodies: Sequence[Path]) -> list[LoadRequest]:
    """The bytes of each request: one for each body, or one without a body.

    Args:
        url: where they go.
        method: empty for ``POST`` where there is a body, else ``GET``.
        headers: ``Name: value`` each, in the place of ours of the same name.
        bodies: files; the media type is that of the file's first bytes, else of its suffix.

    Raises:
        UsageError: a method or header that cannot be sent, or a file that cannot be read.
    """
    method = method or ("POST" if bodies else "GET")
    if not _TOKEN.fullmatch(method):
        raise UsageError("this is not the name of an HTTP method", where="--method", todo="Write GET or POST.")
    if method == "CONNECT":
        raise UsageError("CONNECT is for proxies", where="--method", todo="Write GET or POST.")
    given = [_header(text) for text in headers]
    contents = [(path, read_regular(path, max_bytes=MAX_BODY_FILE_BYTES, where=str(path))) for path in bodies]
    if not contents:
        own = {} if method in ("GET", "HEAD", "OPTIONS", "DELETE", "TRACE") else {"Content-Length": "0"}
        return [LoadRequest(method, _head(url, method, own, given))]
    return [
        LoadRequest(
            method,
            _head(url, method, {"Content-Type": _media_type(path, body), "Content-Length": str(len(body))}, given)
            + body,
        )
        for path, body in contents
    ]


def find_destination(url: LoadUrl) -> list[Destination]:
    """The addresses that the host's name stands for, in the system's order.

    Raises:
        WorldError: there is none.
    """
    try:
        found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WorldError(
            f"the name '{url.host}' stands for no address: {printable(str(error))}",
            where=url.shown,
            todo="Correct the URL's host, or find out why names are not resolved here.",
        ) from error
    tls = ssl.create_default_context() if url.tls else None
    if tls is not None:
        tls.set_alpn_protocols(["http/1.1"])
    return [Destination(url.host, url.port, family, address, tls) for family, _, _, _, address in found]


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    shown = printable(name[:40])
    if not colon or not _TOKEN.fullmatch(name.strip()):
        raise UsageError(
            f"'{shown}' is not a header" if colon else "there is no colon in it",
            where="--header",
            todo="Write --header 'Name: value'.",
        )
    value = value.strip()
    if any(character in "\r\n\0" for character in value):
        raise UsageError(f"the value of '{shown}' holds a line break", where="--header", todo="Write one line.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UsageError(
            f"the value of '{shown}' is not UTF-8", where="--header", todo="Give it in UTF-8, or percent-encoded."
        ) from error
    if name.strip().lower() in _OURS:
        raise UsageError(
            f"'{shown}' says how requests follow each other, which is the generator's to say", where="--header"
        )
    return name.strip(), value


def _head(url: LoadUrl, method: str, own: dict[str, str], given: Sequence[tuple[str, str]]) -> bytes:
    replaced = {name.lower() for name, _ in given}
    ours = {"Host": url.authority, **_DEFAULTS, **own}
    lines = [f"{name}: {value}" for name, value in ours.items() if name.lower() not in replaced]
    lines += [f"{name}: {value}" for name, value in given]
    return "\r\n".join([f"{method} {url.target} HTTP/1.1", *lines, "", ""]).encode("utf-8")


def _media_type(path: Path, body: bytes) -> str:
    found = media_type_of(io.BytesIO(body[: 1 << 16]))
    return found or _BY_SUFFIX.guess_type(path.name, strict=False)[0] or "application/octet-stream"
