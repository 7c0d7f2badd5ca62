"""The portrait: decoding, and where face and mouth are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Before OpenCV is loaded: a small file may unpack to an enormous picture.
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(40_000_000))

import cv2
import numpy as np
import numpy.typing as npt
from cv2.typing import MatLike

from sonic_lite.parameters import RequestError

Image = npt.NDArray[np.uint8]
MIN_SIDE = 48
_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")

_MOUTH_DOWN, _MOUTH_HALF_WIDTH = 0.79, 0.165
"""The usual place of a mouth in the box of OpenCV's frontal face cascade, as shares of its side."""
_CENTRED_FACE = (0.26, 0.20, 0.48)
"""Left, top and side of the box where the cascade sees no face: the usual framing of a portrait."""


@dataclass(frozen=True)
class Anatomy:
    """Where things are, in pixels.

    box: x, y, side of the face. mouth_x, mouth_y: the middle of the line between the lips. half_width: of the mouth.
    """

    box: tuple[float, float, float]
    mouth_x: float
    mouth_y: float
    half_width: float


def decode(data: bytes, size: int) -> Image:
    """A PNG, JPEG or WebP picture, whole, on a square: uint8 ``(size, size, 3)``, BGR.

    A picture that is not square is continued at its edges. Raises RequestError (422) for anything else.
    """
    image = None
    if data.startswith(_SIGNATURES):
        try:
            image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            image = None
    if image is None:
        what = "the image cannot be read: send PNG, JPEG or WebP of at most 40 megapixels"
        raise RequestError(422, what, field="image")
    rows, columns = image.shape[:2]
    if min(rows, columns) < MIN_SIDE or max(rows, columns) > 4 * min(rows, columns):
        what = f"the image must be at least {MIN_SIDE} pixels wide and high, and not longer than 4:1"
        raise RequestError(422, what, field="image")
    more = max(rows, columns) - np.array([rows, columns])
    top, left = (int(v) // 2 for v in more)
    square = cv2.copyMakeBorder(image, top, int(more[0]) - top, left, int(more[1]) - left, cv2.BORDER_REPLICATE)
    how = cv2.INTER_AREA if len(square) > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=how), np.uint8)


class FaceLocator:
    """Finds the face of a portrait with OpenCV's cascade.

    The mouth is found in it by proportion and by the dark line between the lips.
    """

    def __init__(self) -> None:
        """Load the cascade. Raises OSError where OpenCV came without it."""
        self._cascade = cv2.CascadeClassifier(
            str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
        )
        if self._cascade.empty():
            raise OSError("OpenCV's frontal face cascade is missing")

    def locate(self, image: Image) -> Anatomy:
        """The largest face; where none is seen, the middle of the picture is taken for one."""
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        scale = 256 / len(grey)
        small = cv2.resize(grey, (256, 256), interpolation=cv2.INTER_AREA)
        found = self._faces(small)
        if not len(found):
            found = self._faces(cv2.equalizeHist(small))  # a face in poor light
        if len(found):
            left, top, width, _ = max(found, key=lambda face: face[2])
            box = (float(left / scale), float(top / scale), float(width / scale))
        else:
            x, y, side = _CENTRED_FACE
            box = (x * len(grey), y * len(grey), side * len(grey))
        return _mouth_in(grey, box)

    def _faces(self, grey: MatLike) -> Sequence[Sequence[int]]:
        return self._cascade.detectMultiScale(grey, 1.05, 4, minSize=(56, 56))


def _mouth_in(grey: MatLike, box: tuple[float, float, float]) -> Anatomy:
    """The mouth's place: the height of the dark line between the lips, then the ends of that line."""
    x, y, side = box
    middle, expected, half = x + side / 2, y + _MOUTH_DOWN * side, _MOUTH_HALF_WIDTH * side
    reach = 0.11 * side
    rows = slice(max(int(expected - reach), 0), min(int(expected + reach) + 1, len(grey)))
    columns = slice(max(int(middle - 2 * half), 0), int(middle + 2 * half) + 1)
    band = cv2.GaussianBlur(grey, (0, 0), max(side / 90, 0.5))[rows, columns].astype(np.float32)
    if band.shape[0] < 5 or band.shape[1] < 5:
        return Anatomy(box, middle, expected, half)
    # Darker than what is above and below it: lips shade into skin, the line between them does not.
    contrast = cv2.blur(band, (1, max(int(side * 0.08) | 1, 3))) - band
    inner = np.abs(np.arange(band.shape[1]) + columns.start - middle) < 0.7 * half
    at = np.arange(len(band)) + rows.start
    likely = 1 - 0.5 * ((at - expected) / reach) ** 2
    depth = np.clip(contrast[:, inner].mean(axis=1), 0, None) * likely
    if depth.max() <= 1.5:
        return Anatomy(box, middle, expected, half)
    row = int(depth.argmax())
    line = contrast[max(row - 2, 0) : row + 3].max(axis=0)
    dark = np.flatnonzero((line > 0.4 * np.quantile(line[inner], 0.5)) & (line > 1.0)) + columns.start
    ends = dark[np.abs(dark - middle) < 1.6 * half]
    if len(ends):
        left, right = float(ends[0]), float(ends[-1])
        if 0.65 * half < (right - left) / 2 < 1.5 * half:
            middle, half = (left + right + 1) / 2, (right - left) / 2
    return Anatomy(box, middle, float(at[row]) + 0.5, half)
