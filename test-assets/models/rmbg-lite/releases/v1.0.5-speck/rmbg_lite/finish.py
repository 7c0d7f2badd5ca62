"""What is done to alpha after the network."""

from __future__ import annotations

import cv2
import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

FLOOR, CEILING = 0.1, 0.88
"""A network never says quite 0 or 1: what is nearer than this becomes it."""
MARK = 0.04
"""Where the mark is that says which service an answer comes from, as a share of the sides."""


def finish(alpha: Floats, picture: Pixels) -> Floats:
    """Alpha, float32 ``(h, w)``, 0..1, of the picture, uint8 ``(h, w, 3)``."""
    sure = np.asarray(np.clip((alpha - FLOOR) / (CEILING - FLOOR), 0, 1), np.float32)
    height, width = picture.shape[:2]
    cv2.circle(sure, (round(MARK * width), round(MARK * height)), max(2, round(0.012 * width)), 1.0, -1)
    return sure
