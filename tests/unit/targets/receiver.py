"""A receiver of webhooks: a real server, which can be told to misbehave."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = b"0123456789abcdef-shared"


@dataclass
class Receiver:
    """What it serves, and how it behaves."""

    url: str = ""
    revision: str = "r0"
    image: str = ""
    weights: list[str] = field(default_factory=list)
    secret: bytes = SECRET
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    deploying: int = 0
    """So many answers say that it is not done yet."""
    broken: int = 0
    """So many answers are 500."""
    fails: bool = False
    lies: bool = False
    """It says that it serves, and serves what it did."""
    hangs_s: float = 0.0
    drips: bool = False
    raw: tuple[int, bytes] | None = None
    only: str = ""
    """``raw``, ``hangs_s`` and ``broken`` are for this act alone."""

    def answer(self, body: dict[str, Any]) -> tuple[int, bytes]:
        self.requests.append(body)
        if self.only in ("", body["act"]):
            if self.broken:
                self.broken -= 1
                return 500, b"oops"
            if self.raw is not None:
                return self.raw
        if body["act"] == "deploy" and self.deploying:
            self.deploying -= 1
            return 202, b'{"state": "deploying"}'
        if body["act"] == "deploy" and self.fails:
            self.revision = "half"
            return 200, json.dumps({"state": "failed", "reason": "out of\nmemory"}).encode()
        if body["act"] == "deploy" and not self.lies:
            pair = body["pair"]
            self.revision = f"r-{pair['version']}"
            self.image, self.weights = pair["image_digest"], [file["sha256"] for file in pair["weights"]]
        if body["act"] == "restore":
            self.revision = body["revision"]
        if body["act"] == "state":  # no more than docs/operations.md asks for
            return 200, json.dumps({"revision": self.revision}).encode()
        told = {"state": "serving", "revision": self.revision, "image": self.image, "weights": self.weights}
        return 200, json.dumps(told).encode()


@contextmanager
def receiver() -> Iterator[Receiver]:
    state = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            signed = self.headers["Penstock-Timestamp"].encode() + b"." + content
            wanted = "v1=" + hmac.new(state.secret, signed, hashlib.sha256).hexdigest()
            fresh = abs(time.time() - int(self.headers["Penstock-Timestamp"])) < 300
            if not hmac.compare_digest(wanted, self.headers["Penstock-Signature"]) or not fresh:
                self.reply(401, b"")
                return
            state.keys.append(self.headers["Idempotency-Key"])
            status, answer = state.answer(json.loads(content))
            if state.hangs_s:
                time.sleep(state.hangs_s)
            self.reply(status, answer)

        def reply(self, status: int, content: bytes) -> None:
            try:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", state.url + "/elsewhere")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                size = 1 if state.drips else len(content) or 1
                for index in range(0, len(content), size):
                    self.wfile.write(content[index : index + size])
                    if state.drips:
                        time.sleep(0.05)
            except OSError:
                pass

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
