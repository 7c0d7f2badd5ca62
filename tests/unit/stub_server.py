"""An HTTP server on this machine for one test: a function says what each request is answered."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class StubRequest:
    """What came."""

    method: str
    path: str
    """With its query."""
    headers: Message
    body: bytes

    def json(self) -> Any:
        """The body; ``None`` if there is none."""
        return json.loads(self.body or b"null")


@dataclass(frozen=True)
class StubAnswer:
    """What is said."""

    status: int = 200
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    """All there are, beside the length."""
    drip_s: float = 0.0
    """More than nothing: a byte at a time, and so long between them."""


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> StubAnswer:
    """An answer of JSON."""
    return StubAnswer(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


@contextlib.contextmanager
def stub_server(answer: Callable[[StubRequest], StubAnswer | None]) -> Iterator[str]:
    """Serve at a free port of the loopback; requests of several connections are answered at once.

    Args:
        answer: of each request; ``None``: the connection is closed without one.

    Yields:
        ``http://127.0.0.1:PORT``.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # an answer in one piece: else each waits 40 ms for an acknowledgement

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # who asked may be gone before it asks for more
                super().handle()

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = answer(StubRequest(self.command, self.path, self.headers, body))
            if said is None:
                self.close_connection = True
                return
            with contextlib.suppress(OSError):  # who asked may be gone
                self.send_response_only(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.content)))
                self.end_headers()
                self.write(said)

        def write(self, said: StubAnswer) -> None:
            if not said.drip_s:
                self.wfile.write(said.content)
                return
            for byte in said.content:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(said.drip_s)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one  # noqa: N815 (http.server's names)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
