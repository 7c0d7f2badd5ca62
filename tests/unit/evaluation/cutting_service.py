"""A service that removes backgrounds, in a thread: by form, and as RMBG's; it misbehaves where it is told to."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
from tests.unit.families.matting.drawn_mattes import cutout, disc

RMBG = "/api/remove-bg"
FORM = "/cut/out"


@dataclass
class Service:
    """What it is asked, and how it behaves."""

    url: str = ""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    """Path and photo of each."""
    most_at_once: int = 0
    html: bool = False
    status: int = 200
    wait_s: float = 0.0
    cut_off: bool = False
    _open: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, path: str, photo: bytes) -> None:
        with self._lock:
            self.requests.append((path, photo))
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)

    def leave(self) -> None:
        with self._lock:
            self._open -= 1


def matte_of(photo: bytes) -> bytes:
    """A disc in the middle, as PNG with alpha, of the photo's size."""
    picture = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
    height, width = picture.shape[:2]
    return cv2.imencode(".png", cutout(disc((width, height), radius=16)))[1].tobytes()


@contextlib.contextmanager
def cutting_service() -> Iterator[Service]:
    """Started on a free port of the loopback, ended with the block."""
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            photo = base64.b64decode(json.loads(body)["image"]) if self.path == RMBG else self.in_form(body)
            service.enter(self.path, photo)
            try:
                time.sleep(service.wait_s)
                self.answer(photo)
            finally:
                service.leave()

        def in_form(self, body: bytes) -> bytes:
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            (part,) = BytesParser(policy=HTTP).parsebytes(head + body).iter_parts()
            assert part.get_param("name", header="content-disposition") == "image"
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            return content

        def answer(self, photo: bytes) -> None:
            if service.cut_off:
                self.connection.close()
                return
            content, kind = matte_of(photo), "image/png"
            if self.path == RMBG:
                content, kind = json.dumps({"image": base64.b64encode(content).decode()}).encode(), "application/json"
            if service.html:
                content, kind = b"<html>a login page</html>", "text/html; charset=utf-8"
            self.send_response(service.status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
