"""Pictures in and out."""

from __future__ import annotations

import os

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 26))

import cv2  # (reads the variable when it is loaded)
import numpy as np
import numpy.typing as npt

from rmbg_lite.request import RequestError

LARGE, SCALED = 2000, 1024
"""A picture with a longer side than LARGE is brought to a longer side of SCALED."""

Pixels = npt.NDArray[np.uint8]


def decode(content: bytes) -> Pixels:
    """A picture upright, uint8 ``(h, w, 3)``, RGB; a large one scaled. Raises RequestError for what is no picture."""
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        found = None
    if found is None:
        raise RequestError(422, "the picture cannot be read: send PNG, JPEG or WebP of at most 64 megapixels", "image")
    height, width = found.shape[:2]
    if max(height, width) > LARGE:
        size = [max(1, round(side * SCALED / max(height, width))) for side in (width, height)]
        found = cv2.resize(found, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(found[..., ::-1])


def encode(colour: Pixels, alpha: Pixels) -> bytes:
    """The subject on white, uint8 ``(h, w, 3)`` and ``(h, w)``, small enough for a telephone."""
    share = alpha[..., None] / 255
    picture = np.round(share * colour[..., ::-1] + (1 - share) * 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1])
