"""The service: ``GET /healthz``, ``POST /recognize``, and what they are in OpenAPI, ``GET /openapi.json``.

Run it with ``python server.py --port 8000``. It answers 503 until the model is loaded; several pictures at a time. At
SIGTERM it answers what was begun, then stops.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from recognition_lite.health import health
from recognition_lite.logs import log
from recognition_lite.request import RequestError
from recognition_lite.service import Service
from recognition_lite.stopping import Stop

ROOT = Path(__file__).resolve().parent
MAX_BODY_BYTES = 32 << 20
SOCKET_TIMEOUT_S = 30.0
ELSEWHERE = "there is /healthz, /recognize and /openapi.json"
DOCUMENT = json.loads((ROOT / "recognition_lite" / "openapi.json").read_text(encoding="utf-8"))


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "recognition-lite"
    sys_version = ""
    timeout = SOCKET_TIMEOUT_S
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        """A new connection's first request is on its way."""
        super().setup()
        self._begun = False
        self._begin()

    def parse_request(self) -> bool:
        """Another request began."""
        self._begin()
        return super().parse_request()

    def handle_one_request(self) -> None:
        """Answer it; it is then no longer under way."""
        super().handle_one_request()
        self._end()
        if self.server.stop.asked:
            self.close_connection = True

    def finish(self) -> None:
        """The connection is over."""
        self._end()
        super().finish()

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.server.stop.begin()

    def _end(self) -> None:
        if self._begun:
            self._begun = False
            self.server.stop.end()

    def do_GET(self) -> None:
        """Answer ``/healthz`` and ``/openapi.json``."""
        if self.path == "/healthz":
            self._json(*health(loaded=self.server.service.ready))
        elif self.path == "/openapi.json":
            self._json(200, DOCUMENT)
        else:
            self._refuse(RequestError(404, ELSEWHERE))

    def do_POST(self) -> None:
        """Answer ``/recognize``."""
        try:
            body = self._body()
            if self.path != "/recognize":
                raise RequestError(404, ELSEWHERE)
            answer = self.server.service.recognize(self.headers.get("Content-Type", ""), body)
        except RequestError as error:
            self._refuse(error)
        except Exception as error:
            log("failed", error=f"{type(error).__name__}: {error}")
            self._json(500, {"error": "the picture could not be looked at"})
        else:
            self._json(200, answer)

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

    def _json(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection or self.server.stop.asked:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Nothing: requests are logged as events."""


class Server(ThreadingHTTPServer):
    """The listening socket and the service behind it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service, stop: Stop) -> None:
        """Listen; the model may still be loading."""
        super().__init__(address, Handler)
        self.service, self.stop = service, stop
        self.timeout = 0.05
        self._quiet = False

    def accept_the_rest(self) -> None:
        """Take the connections that came before the socket closes, and close it."""
        while not self._quiet:
            self.handle_request()
        self.socket.close()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (the base class's)
        """A connection broke off, or was reset between two requests: a line of JSON like any other."""
        error = sys.exception()
        log("broken_off", error=f"{type(error).__name__}: {error}")

    def handle_timeout(self) -> None:
        """Nobody is waiting any more."""
        self._quiet = True


def main() -> int:
    """Listen, load, serve, stop."""
    parser = argparse.ArgumentParser(description="recognition-lite: what is in a picture")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    arguments = parser.parse_args()
    stop = Stop()
    service = Service(ROOT)
    server = Server((arguments.host, arguments.port), service, stop)
    threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True).start()
    try:
        service.load()
    except (OSError, ValueError, KeyError) as error:
        log("broken", error=str(error))
        return 1
    stop.wait()
    server.shutdown()
    server.accept_the_rest()
    log("stopped", all_answered=stop.finish())
    return 0


if __name__ == "__main__":
    sys.exit(main())
