"""One request to the service that is tried: sent within limits, and shown as a command that sends it again."""

from __future__ import annotations

import contextlib
import hashlib
import re
import shlex
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from penstock.interface.answer_checks import ServiceAnswer
from penstock.interface.trial_order import MAX_KEPT_BODY

MAX_ANSWER: Final = 64 << 20
MAX_SHOWN_BODY: Final = 300
CONNECT_S: Final = 10.0
SHOWN_ORIGIN: Final = "http://localhost:8080"
"""In commands, in the place of the port that the service had."""
_DROPPED: Final = ("x-schemathesis-testcaseid", "user-agent", "accept-encoding", "connection", "content-length")
_BOUNDARY: Final = re.compile(r"multipart/form-data; boundary=([0-9a-f]{32})")
_PLAIN: Final = re.compile(r"[\x20-\x7e]*")


class UnansweredError(Exception):
    """The service gave none; the message says what it did."""


class _PlainSession(requests.Session):
    """One that does not look at redirects: it would read their bodies, however long, to look at them."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 (the library calls it)
        return None


def prepared_request(sent: Mapping[str, Any]) -> requests.PreparedRequest:
    """A request as it goes out: nothing in it is of this moment or this machine.

    Args:
        sent: method, URL, headers and body, as ``requests`` takes them.

    Raises:
        ValueError: it cannot be sent (a header with a line break, a text that is no Unicode).
    """
    fields = ("method", "url", "headers", "files", "data", "params", "json", "cookies")
    try:
        request = requests.Request(**{name: sent[name] for name in fields if name in sent}).prepare()
        for value in request.headers.values():
            if isinstance(value, str):
                value.encode("latin-1")
    except (requests.RequestException, UnicodeError) as error:
        raise ValueError(str(error)) from error
    for name in _DROPPED[:-1]:
        request.headers.pop(name, None)
    _name_boundary(request)
    request.headers.update({"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "penstock"})
    return request


def _name_boundary(request: requests.PreparedRequest) -> None:
    """The boundary of a multipart body is drawn at random: one that comes of the body itself takes its place."""
    found = _BOUNDARY.fullmatch(str(request.headers.get("Content-Type", "")))
    if found is None or not isinstance(request.body, bytes):
        return
    drawn = found[1].encode()
    named = hashlib.sha256(request.body.replace(drawn, b"")).hexdigest()[: len(drawn)].encode()
    request.body = request.body.replace(drawn, named)
    request.headers["Content-Type"] = f"multipart/form-data; boundary={named.decode()}"


def send(request: requests.PreparedRequest, timeout_s: float) -> ServiceAnswer:
    """Send a request, and read its answer as it comes: no redirect is followed, nothing is decompressed.

    Args:
        request: to the service on the loopback.
        timeout_s: until the whole answer is there.

    Raises:
        UnansweredError: there was none.
    """
    deadline = time.monotonic() + timeout_s
    with _PlainSession() as session:
        session.trust_env = False
        try:
            response = session.send(request, stream=True, timeout=(CONNECT_S, timeout_s), allow_redirects=False)
            with contextlib.closing(response):
                content = _content(response, deadline, timeout_s)
        except requests.Timeout:
            raise UnansweredError(f"gives no answer within {timeout_s:g} s") from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise UnansweredError(f"closes the connection without a whole answer ({type(error).__name__})") from None
    if (coding := response.headers.get("Content-Encoding", "identity").lower()) != "identity":
        raise UnansweredError(f"answers {response.status_code} compressed ({coding[:40]!r}), which nobody asked for")
    return ServiceAnswer(response.status_code, response.headers.get("Content-Type"), content)


def _content(response: requests.Response, deadline: float, timeout_s: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := response.raw.read1(1 << 16, decode_content=False):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER:
            raise UnansweredError(f"answers with more than {MAX_ANSWER >> 20} MiB")
        if time.monotonic() > deadline:
            raise UnansweredError(f"gives no whole answer within {timeout_s:g} s")
    return b"".join(parts)


def weight(request: requests.PreparedRequest) -> tuple[int, str]:
    """How large a request is: of two that show the same, the smaller is kept."""
    url = request.url or ""
    return len(url) + len(_body(request)) + sum(map(len, request.headers.values())), url


def shown_request(request: requests.PreparedRequest, origin: str, folder: Path, kept_as: str) -> tuple[str, str | None]:
    """A command that sends a request again, and the name of the file in ``folder`` that has its body.

    Args:
        request: that was sent.
        origin: where it went.
        folder: where bodies are kept that a command line cannot hold.
        kept_as: how commands call that folder.
    """
    words = ["curl", "--globoff", "--path-as-is"]
    words += ["--head"] if request.method == "HEAD" else ["-X", str(request.method)]
    for header, value in request.headers.items():
        if header.lower() not in _DROPPED and (header, value) != ("Accept", "*/*"):
            words += ["-H", f"{header}: {value if isinstance(value, str) else value.decode('latin-1')}"]
    body = _body(request)
    name: str | None = None
    if body and len(body) <= MAX_SHOWN_BODY and _PLAIN.fullmatch(body.decode("latin-1")):
        words += ["--data-raw", body.decode("ascii")]
    elif body:
        name = f"{hashlib.sha256(body).hexdigest()[:16]}.bin"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body[:MAX_KEPT_BODY])
        words += ["--data-binary", f"@{kept_as}/{name}"]
    words.append((request.url or "").replace(origin, SHOWN_ORIGIN, 1))
    return shlex.join(words), name


def _body(request: requests.PreparedRequest) -> bytes:
    body = request.body
    return body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""
