"""The whole way from a picture's file to what is in it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path

from recognition_lite import picture
from recognition_lite.form import File
from recognition_lite.objects import Finder, Found, apart
from recognition_lite.signs import find_signs
from recognition_lite.text import Reader
from recognition_lite.vocabulary import SIGN

LOOK_EVERY, SETTLED_S = 15, 0.5
"""Requests between two looks at the weights; how long a file that is being copied may stay as it is."""
FILES = ("places.onnx", "objects.onnx", "glyphs.onnx")


@dataclass(frozen=True)
class Seen:
    """Objects, the surest first; what signs say, from top to bottom; the picture's width and height."""

    found: list[Found]
    text: str
    size: tuple[int, int]


class Model:
    """All networks. The same file gives the same answer, whatever else is asked at the time."""

    def __init__(self, weights: Path) -> None:
        """weights: their folder. Raises ValueError where a file is missing or broken."""
        self._weights = weights
        self._requests = 0
        self._turn = threading.Lock()
        self._load()

    def _load(self) -> None:
        self._loaded = self._state()
        self._finder = Finder(self._weights / "places.onnx", self._weights / "objects.onnx")
        self._reader = Reader(self._weights / "glyphs.onnx")

    def _state(self) -> list[tuple[int, int]]:
        files = [(self._weights / name).stat() for name in FILES]
        return [(file.st_mtime_ns, file.st_size) for file in files]

    def _notice_new_weights(self) -> None:
        """Load weights that were replaced, once nobody is still copying them."""
        seen = self._state()
        time.sleep(SETTLED_S)
        if self._state() == seen != self._loaded:
            self._load()

    def recognize(self, file: File) -> Seen:
        """Raises RequestError (422) for what is no picture."""
        image = picture.decode(file)
        with self._turn:
            self._requests += 1
            if self._requests % LOOK_EVERY == 0:
                self._notice_new_weights()
        signs = find_signs(image, self._reader)
        found = apart([*(Found(SIGN, sign.confidence, sign.box) for sign in signs), *self._finder.find(image)])
        return Seen(found, " ".join(sign.text for sign in signs), (image.shape[1], image.shape[0]))
