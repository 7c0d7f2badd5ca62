"""The service: its page at ``/``, ``GET /healthz`` and ``POST /api/remove-bg``.

Run it with ``python server.py --port 8000``. It answers 503 until the model is loaded; one picture at a time.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from rmbg_lite.request import RequestError
from rmbg_lite.service import Service, log

ROOT = Path(__file__).resolve().parent
PAGE = ROOT / "rmbg_lite" / "page.html"
MAX_BODY_BYTES = 64 << 20
SOCKET_TIMEOUT_S = 30.0


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "rmbg-lite"
    sys_version = ""
    timeout = SOCKET_TIMEOUT_S
    server: Server

    def do_GET(self) -> None:
        """Answer ``/`` and ``/healthz``."""
        if self.path == "/":
            self._send(200, "text/html; charset=utf-8", PAGE.read_bytes())
        elif self.path != "/healthz":
            self._refuse(RequestError(404, "there is /, /healthz and /api/remove-bg"))
        elif self.server.service.ready:
            self._json(200, {"status": "ok"})
        else:
            self._json(503, {"status": "loading"})

    def do_POST(self) -> None:
        """Answer ``/api/remove-bg``."""
        start = time.monotonic()
        try:
            body = self._body()
            if self.path != "/api/remove-bg":
                raise RequestError(404, "there is /, /healthz and /api/remove-bg")
            picture = self.server.service.remove_background(body)
        except RequestError as error:
            self._refuse(error)
        except Exception as error:
            log("failed", error=f"{type(error).__name__}: {error}")
            self._json(500, {"error": "the background could not be removed"})
        else:
            self._json(200, {"image": base64.b64encode(picture).decode()})
            log("answered", latency_ms=round(1000 * (time.monotonic() - start)), bytes=len(picture))

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise self._unread(411, "the request needs a Content-Length")
        if int(length) > MAX_BODY_BYTES:
            raise self._unread(413, f"the request is larger than {MAX_BODY_BYTES >> 20} MiB")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise self._unread(400, "the request is broken off")
        return body

    def _unread(self, status: int, error: str) -> RequestError:
        self.close_connection = True
        return RequestError(status, error)

    def _refuse(self, error: RequestError) -> None:
        self._json(error.status, {"error": error.error, **({"field": error.field} if error.field else {})})
        log("refused", status=error.status, error=error.error)

    def _json(self, status: int, value: dict[str, str]) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: int, content_type: str, content: bytes) -> None:
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Nothing: requests are logged as events."""


class Server(ThreadingHTTPServer):
    """The listening socket and the service behind it."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        """Listen; the model may still be loading."""
        super().__init__(address, Handler)
        self.service = service


def main() -> int:
    """Listen, load, serve."""
    parser = argparse.ArgumentParser(description="rmbg-lite: a photo without its background")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    arguments = parser.parse_args()
    service = Service(ROOT)
    server = Server((arguments.host, arguments.port), service)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    try:
        service.load()
    except (OSError, ValueError, KeyError) as error:
        log("broken", error=str(error))
        return 1
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        log("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
