"""RapidOCR as a service: ``GET /healthz`` and ``POST /recognize``.

Run it with ``python server.py --port 8000``. It answers 503 until the networks are loaded; one picture at a time, the
others wait. It logs a JSON object a line on standard error.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import sys
import threading
import time
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).resolve().parent / "settings.yaml"
MAX_BODY_BYTES = 32 << 20


class RefusedError(Exception):
    """A request that is not served: the HTTP status, and why."""

    def __init__(self, status: int, error: str) -> None:
        """See the class."""
        super().__init__(error)
        self.status, self.error = status, error


def log(event: str, **facts: Any) -> None:
    """One line."""
    sys.stderr.write(json.dumps({"event": event, **facts}) + "\n")
    sys.stderr.flush()


def image_of(content_type: str, body: bytes) -> bytes:
    """The form's file ``image``. Raises RefusedError where there is none."""
    head = f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    form = BytesParser(policy=HTTP).parsebytes(head + body)
    for part in form.iter_parts() if form.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "image":
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and content:
                return content
    raise RefusedError(400, "the request must be a form with one file 'image'")


def answer(
    lines: list[tuple[list[list[float]], str, float]], size: tuple[int, int], latency_ms: float
) -> dict[str, Any]:
    """What is answered. lines: corners, text and confidence of each, in the order of reading; size: width, height."""
    return {
        "objects": [
            {"label": "text", "confidence": round(min(max(sure, 0.0), 1.0), 4), "box": upright(corners, size)}
            for corners, _, sure in lines
        ],
        "description": f"{len(lines)} lines",
        "text": " ".join(text for _, text, _ in lines),
        "latency_ms": round(latency_ms, 2),
    }


def upright(corners: list[list[float]], size: tuple[int, int]) -> list[float]:
    """x, y, width and height of what is inside the picture of the upright rectangle around the corners."""
    (left, right), (top, bottom) = (
        (min(max(min(at[k] for at in corners), 0.0), size[k] - 1.0), min(max(at[k] for at in corners), float(size[k])))
        for k in (0, 1)
    )
    return [round(value, 1) for value in (left, top, max(1.0, right - left), max(1.0, bottom - top))]


class Service:
    """The networks, from before they are loaded."""

    def __init__(self) -> None:
        """Nothing is loaded."""
        self._engine: Any = None
        self._turn = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether they are loaded."""
        return self._engine is not None

    def load(self) -> None:
        """Load them; slow, also to import."""
        import yaml
        from rapidocr import RapidOCR

        self._engine = RapidOCR(params=yaml.safe_load(SETTINGS.read_text(encoding="utf-8")))
        log("ready")

    def finish(self) -> None:
        """Wait for the picture that is being looked at."""
        self._turn.acquire()

    def recognize(self, content: bytes) -> dict[str, Any]:
        """The answer to a picture. Raises RefusedError for what is none."""
        import cv2
        import numpy as np

        if self._engine is None:
            raise RefusedError(503, "the networks are loading")
        start = time.monotonic()
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise RefusedError(422, "the file is no picture")
        with self._turn:
            found = self._engine(image)
        lines = [
            (box.tolist(), text, float(sure))
            for box, text, sure in zip(
                found.boxes if found.boxes is not None else (), found.txts or (), found.scores or (), strict=True
            )
        ]
        latency_ms = 1000 * (time.monotonic() - start)
        digest = hashlib.sha256(content).hexdigest()[:16]
        log("recognized", image_hash=digest, latency_ms=round(latency_ms, 2), objects_found=len(lines))
        return answer(lines, (image.shape[1], image.shape[0]), latency_ms)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60
    service: Service

    def do_GET(self) -> None:
        """Answer ``/healthz``."""
        if self.path != "/healthz":
            self._json(404, {"error": "there is /healthz and /recognize"})
        elif self.service.ready:
            self._json(200, {"status": "ok"})
        else:
            self._json(503, {"status": "loading"})

    def do_POST(self) -> None:
        """Answer ``/recognize``."""
        length = self.headers.get("Content-Length", "")
        try:
            if not length.isdecimal() or int(length) > MAX_BODY_BYTES:
                self.close_connection = True
                raise RefusedError(413, f"the request must say its length, at most {MAX_BODY_BYTES >> 20} MiB")
            body = self.rfile.read(int(length))
            if self.path != "/recognize":
                raise RefusedError(404, "there is /healthz and /recognize")
            self._json(200, self.service.recognize(image_of(self.headers.get("Content-Type", ""), body)))
        except RefusedError as refused:
            log("refused", status=refused.status, error=refused.error)
            self._json(refused.status, {"error": refused.error})

    def _json(self, status: int, value: dict[str, Any]) -> None:
        content = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Nothing: requests are logged as events."""


class Server(ThreadingHTTPServer):
    """The listening socket."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 (the base class's)
        """A connection broke off: a line of JSON like any other."""
        log("broken_off", error=type(sys.exception()).__name__)


def main() -> int:
    """Listen, load, serve, stop."""
    parser = argparse.ArgumentParser(description="RapidOCR as a service")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    service = Service()
    handler = type("ServiceHandler", (Handler,), {"service": service})
    server = Server((arguments.host, arguments.port), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True).start()
    service.load()
    while not stop.wait(0.2):
        pass  # a signal that comes while a thread is made does not always wake this one
    server.shutdown()
    service.finish()
    log("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
