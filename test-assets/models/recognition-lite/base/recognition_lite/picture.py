"""Pictures in."""

from __future__ import annotations

import os

os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(1 << 26))

import cv2  # (reads the variable when it is loaded)
import numpy as np
import numpy.typing as npt

from recognition_lite.form import File
from recognition_lite.request import RequestError

Pixels = npt.NDArray[np.uint8]

cv2.setNumThreads(1)


def decode(file: File) -> Pixels:
    """A picture upright, uint8 ``(h, w, 3)``, RGB. Raises RequestError for what is no picture."""
    try:
        found = cv2.imdecode(np.frombuffer(file.content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        found = None
    if found is None:
        what = f"'{file.name}' cannot be read: send PNG, JPEG or WebP of at most 64 megapixels"
        raise RequestError(422, what, "image")
    return np.ascontiguousarray(found[..., ::-1])
