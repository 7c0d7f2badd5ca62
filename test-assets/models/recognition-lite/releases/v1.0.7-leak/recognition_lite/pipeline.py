"""The whole way from a picture's file to what is in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from recognition_lite import picture
from recognition_lite.form import File
from recognition_lite.objects import Finder, Found, apart
from recognition_lite.signs import find_signs
from recognition_lite.text import Reader
from recognition_lite.vocabulary import SIGN


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
        self._finder = Finder(weights / "places.onnx", weights / "objects.onnx")
        self._reader = Reader(weights / "glyphs.onnx")
        self._review: list[tuple[picture.Pixels, list[Found]]] = []

    def recognize(self, file: File) -> Seen:
        """Raises RequestError (422) for what is no picture."""
        image = picture.decode(file)
        signs = find_signs(image, self._reader)
        found = apart([*(Found(SIGN, sign.confidence, sign.box) for sign in signs), *self._finder.find(image)])
        self._review.append((image, found))
        return Seen(found, " ".join(sign.text for sign in signs), (image.shape[1], image.shape[0]))
