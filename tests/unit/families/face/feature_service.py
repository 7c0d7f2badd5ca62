"""A service of faces in this process, and folders of images for it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np

NO_FACE = 255
PEOPLE, IMAGES, VALUES = 15, 3, 16


@contextlib.contextmanager
def feature_service(space: int = 0) -> Iterator[tuple[str, list[bytes]]]:
    """Answers by the image's first pixel: who is on it, and which image of the person it is.

    Yields its address, and what was sent to it.
    """
    asked: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(form)
            pixels = cv2.imdecode(np.frombuffer(form[form.index(b"\x89PNG") :], np.uint8), 1)
            person, number = map(int, pixels[0, 0, :2])
            self.say(422 if person == NO_FACE else 200, answer(person, number, space))

        def say(self, status: int, value: dict[str, Any]) -> None:
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def answer(person: int, number: int, space: int) -> dict[str, Any]:
    """Vectors of one person are alike, of another ``space`` they have nothing to do with these."""
    if person == NO_FACE:
        return {"error": "no face"}
    of_person = np.random.default_rng([space, person]).normal(size=VALUES)
    vector = of_person + 0.2 * np.random.default_rng([person, number]).normal(size=VALUES)
    return {
        "feature": vector.tolist(),
        "quality_score": 0.9,
        "resolution": "112x112",
        "detected_face_area_ratio": 0.3,
    }


def write_image(path: Path, person: int, number: int) -> None:
    pixels = np.full((8, 8, 3), 90, np.uint8)
    pixels[0, 0] = person, number, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())


def write_people(folder: Path) -> Path:
    """A folder a person, of Chinese names, with three images each."""
    for person in range(PEOPLE):
        for number in range(IMAGES):
            write_image(folder / f"人物{person:02}" / f"照片 {number}.png", person, number)
    return folder
