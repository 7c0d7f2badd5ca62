"""From a file to pixels."""

from __future__ import annotations

import os

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 25))

import cv2  # (reads the variable when it is loaded)
import numpy as np
import numpy.typing as npt

from face_lite.request import RequestError

LARGEST = 1600
"""A photograph with a longer side is brought to this one."""

Pixels = npt.NDArray[np.uint8]


def decode(content: bytes, field: str) -> Pixels:
    """A photograph upright, uint8 ``(h, w, 3)``, RGB. Raises RequestError for what is none."""
    try:
        found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        found = None
    if found is None:
        raise RequestError(422, "the picture cannot be read: send PNG, JPEG or WebP of at most 32 megapixels", field)
    height, width = found.shape[:2]
    if max(height, width) > LARGEST:
        size = [max(1, round(side * LARGEST / max(height, width))) for side in (width, height)]
        found = cv2.resize(found, size, interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(found[..., ::-1])
