"""The verdict over HTTP, for the web provider of Argo Rollouts: a job's two ends know no "inconclusive"."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from penstock.foundation.errors import UsageError
from penstock.services.listening import ListenAddress, bound
from penstock.watch.records import parse_start
from penstock.watch.watcher import WatchVerdict

MAX_KEPT: Final = 16
MAX_AT_ONCE: Final = 32
_READ_S: Final = 10.0
_KEEP_S: Final = 5.0
MAX_VERSION: Final = 100
Look = Callable[[float | None, str], WatchVerdict]
"""Unix seconds at which the canary was started, if the request says so, and its version, or nothing → the verdict.

Raises:
    UsageError: the watch cannot be asked so.
"""


class VerdictServer(ThreadingHTTPServer):
    """``GET /verdict``, with ``since=TIME`` and ``version=1.2.0`` if need be; ``GET /healthz``.

    A verdict is kept for five seconds, and one is made at a time: who asks often does not ask Prometheus more often.

    Args:
        host: the address that it listens on.
        port: 0: any that is free, see ``server_port``.
        look: makes a verdict.
    """

    daemon_threads = True

    def __init__(self, host: str, port: int, look: Look) -> None:
        self._look, self._kept = look, dict[tuple[float | None, str], tuple[float, WatchVerdict]]()
        self._making, self.places = threading.Lock(), threading.BoundedSemaphore(MAX_AT_ONCE)
        self._address = ListenAddress(host, port)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Listen as every service does.

        Raises:
            WorldError: the address is taken, or is not this machine's.
        """
        self.socket.close()
        self.socket = bound(self._address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def server_activate(self) -> None:
        """The socket listens already."""

    def verdict(self, since: float | None, version: str = "") -> WatchVerdict:
        """The verdict on the canary that was started then.

        Raises:
            UsageError: the watch needs its version, or knows none.
        """
        asked = since, version
        with self._making:
            made, kept = self._kept.get(asked, (0.0, None))
            if kept is not None and time.monotonic() - made < _KEEP_S:
                return kept
            found = self._look(since, version)
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[asked] = (time.monotonic(), found)
            return found


class _Handler(BaseHTTPRequestHandler):
    timeout = _READ_S
    server: VerdictServer
    server_version, sys_version = "penstock-watch", ""

    def do_GET(self) -> None:
        """Answer one request."""
        if not self.server.places.acquire(blocking=False):
            self._answer(503, {"error": "too many requests at the same time"})
            return
        try:
            self._get()
        except OSError:
            self.close_connection = True  # who asked is gone
        except Exception as error:  # an answer without a verdict: an error for who asks, never a promotion
            self._answer(500, {"error": f"bug: {type(error).__name__}"})
        finally:
            self.server.places.release()

    def _get(self) -> None:
        try:
            parts = urlsplit(self.path)
        except ValueError:  # a bracket that is not closed
            parts = urlsplit("")
        if parts.path == "/healthz":
            self._answer(200, {"status": "ok"})
        elif parts.path != "/verdict":
            self._answer(404, {"error": "there is /verdict, with since=TIME and version=1.2.0"})
        else:
            try:
                found = self._verdict(parts.query)
            except (UsageError, ValueError) as error:
                self._answer(400, {"error": str(error)})
                return
            self._answer(200, found.as_json())

    def _verdict(self, query: str) -> WatchVerdict:
        """Raises:
        UsageError, ValueError: it cannot be asked for so.
        """
        given = parse_qs(query, keep_blank_values=True, max_num_fields=4)
        since = parse_start(given["since"][0], where="since") if "since" in given else None
        # who puts 0.0.0+5f8b6d2c1a90 into an address as it is means no space, and no version has one
        version = given.get("version", [""])[0].replace(" ", "+")
        if len(version) > MAX_VERSION or not version.isprintable():
            raise UsageError("this is no version", where="version", todo="Write it as it was released: 1.2.0.")
        return self.server.verdict(since, version)

    def _answer(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (http.server's name)
        """Nothing: probes ask every few seconds."""
