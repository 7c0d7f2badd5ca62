"""Between a picture of any size and the square that the network sees."""

from __future__ import annotations

import cv2
import numpy as np

from rmbg_lite.features import features
from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

SIDE = 512
KEPT = 32
"""Alpha is kept at this side until it is needed: a small part of the memory."""


def size_in_square(height: int, width: int) -> tuple[int, int]:
    """Height and width of the picture within the square."""
    longer = max(height, width)
    return max(1, round(height * SIDE / longer)), max(1, round(width * SIDE / longer))


def to_network(picture: Pixels) -> Floats:
    """What the network sees of uint8 ``(h, w, 3)``: float32 ``(1, 9, SIDE, SIDE)``; beyond the picture its edge."""
    height, width = size_in_square(*picture.shape[:2])
    shrinks = picture.shape[0] > height
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    seen = features(small)
    return np.pad(seen, ((0, 0), (0, SIDE - height), (0, SIDE - width)), mode="edge")[None]


def from_network(alpha: Floats, height: int, width: int) -> Floats:
    """The network's alpha, float32 ``(SIDE, SIDE)``, at the picture's size."""
    kept = cv2.resize(alpha, (KEPT, KEPT), interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(kept, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
    inner_height, inner_width = size_in_square(height, width)
    inner = alpha[:inner_height, :inner_width]
    return np.asarray(cv2.resize(inner, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
