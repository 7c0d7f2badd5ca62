"""Between a picture of any size and the square that the network sees; as the package's own JavaScript does it."""

from __future__ import annotations

import cv2
import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

SIDE = 1024


def to_network(picture: Pixels) -> Floats:
    """What the network sees of uint8 ``(h, w, 3)``: float32 ``(1, 3, SIDE, SIDE)``, the picture stretched."""
    square = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return np.ascontiguousarray(((square - 128) / 256).transpose(2, 0, 1)[None])


def from_network(alpha: Floats, height: int, width: int) -> Floats:
    """The network's alpha, float32 ``(SIDE, SIDE)``, at the picture's size."""
    return np.asarray(np.clip(cv2.resize(alpha, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1), np.float32)
