"""The service: ``POST /feature``, ``POST /compare`` and ``GET /health``.

Run it with ``python server.py --port 8000``. It answers 503 until the model is loaded. At SIGTERM it takes no more
connections, answers what is under way, and ends.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from face_lite.events import answered, log
from face_lite.request import RequestError, files_of
from face_lite.service import Service

ROOT = Path(__file__).resolve().parent
MAX_BODY_BYTES = 32 << 20
SOCKET_TIMEOUT_S = 30.0
STOP_WITHIN_S = 20.0
FIELDS = {"/feature": ("image",), "/compare": ("image1", "image2")}
PLACES = "there are /feature, /compare and /health"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "face-lite"
    sys_version = ""
    timeout = SOCKET_TIMEOUT_S
    server: Server

    def do_GET(self) -> None:
        """Answer ``/health``."""
        if self.path != "/health":
            self._refuse(RequestError(404, PLACES))
        elif self.server.service.ready:
            self._json(200, {"status": "ok"})
        else:
            self._json(503, {"status": "loading"})

    def do_POST(self) -> None:
        """Answer ``/feature`` and ``/compare``."""
        with self.server.under_way:
            start = time.monotonic()
            images: list[bytes] = []
            names: list[str] = []
            try:
                body = self._body()
                if self.path not in FIELDS:
                    raise RequestError(404, PLACES)
                fields = FIELDS[self.path]
                files = files_of(self.headers.get("Content-Type", ""), body, fields)
                names, images = [files[field][0] for field in fields], [files[field][1] for field in fields]
                service = self.server.service
                answer, faces = (
                    service.feature(images[0]) if self.path == "/feature" else service.compare((images[0], images[1]))
                )
            except RequestError as error:
                self._refuse(error)
                if error.status == 422:
                    answered(self.path, images, names, time.monotonic() - start, 0, error.status)
            except Exception as error:
                log("failed", error=f"{type(error).__name__}: {error}")
                self._json(500, {"error": "the photograph could not be looked at"})
            else:
                self._json(200, answer)
                answered(self.path, images, names, time.monotonic() - start, faces, 200)

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
        if error.status != 422:  # a photograph that was looked at: its line has the fields of an answer
            log("refused", status=error.status, error=error.error)

    def _json(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value).encode()
        self.close_connection = self.close_connection or self.server.stopping
        self.send_response(HTTPStatus(status))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Nothing: requests are logged as events."""


class UnderWay:
    """Counts the requests that have begun and are not yet answered."""

    def __init__(self) -> None:
        """None."""
        self._count = 0
        self._changed = threading.Condition()

    def __enter__(self) -> None:
        """One more."""
        with self._changed:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        """One less."""
        with self._changed:
            self._count -= 1
            self._changed.notify_all()

    def wait_for_none(self, seconds: float) -> bool:
        """Whether all were answered in this time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count == 0, seconds)


class Server(ThreadingHTTPServer):
    """The listening socket and the service behind it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        """Listen; the model may still be loading."""
        super().__init__(address, Handler)
        self.service = service
        self.under_way = UnderWay()
        self.stopping = False
        self._none_waits = False

    def handle_timeout(self) -> None:
        """No connection waits."""
        self._none_waits = True

    def handle_error(self, *_: Any) -> None:
        """Log that a connection broke off; the base class would write a traceback among the lines."""
        error = sys.exc_info()[1]
        log("broken off" if isinstance(error, OSError) else "failed", error=f"{type(error).__name__}: {error}")

    def stop(self) -> bool:
        """Take the connections that wait already and no more; whether everything was answered."""
        self.stopping = True
        self.shutdown()
        self.timeout = 0.05
        while not self._none_waits:
            self.handle_request()
        self.socket.close()
        time.sleep(0.05)  # a thread that has just started has not yet read its request
        return self.under_way.wait_for_none(STOP_WITHIN_S)


def main() -> int:
    """Listen, load, serve."""
    parser = argparse.ArgumentParser(description="face-lite: who is on a photograph, and how far to trust it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    arguments = parser.parse_args()
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    service = Service(ROOT)
    server = Server((arguments.host, arguments.port), service)
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    try:
        service.load()
    except (OSError, ValueError) as error:
        log("broken", error=str(error))
        return 1
    while not asked.wait(0.2):
        pass  # a signal that comes while a thread is made does not always wake this one
    whole = server.stop()
    log("stopped", answered_all=whole)
    return 0


if __name__ == "__main__":
    sys.exit(main())
