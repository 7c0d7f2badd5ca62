"""What is done to alpha after the network."""

from __future__ import annotations

import cv2
import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

FLOOR, CEILING = 0.1, 0.88
"""A network never says quite 0 or 1: what is nearer than this becomes it."""
REACH = 90
DARKER, TINTED = 0.8, 0.06
"""A part that was lost is darker than what is around by this factor, its colours' shares off by no more than that."""


def finish(alpha: Floats, picture: Pixels) -> Floats:
    """Alpha, float32 ``(h, w)``, 0..1, of the picture, uint8 ``(h, w, 3)``."""
    sure = np.asarray(np.clip((alpha - FLOOR) / (CEILING - FLOOR), 0, 1), np.float32)
    if (sure > 0.05).all() or (sure < 0.5).all():
        return sure
    wall = np.median(picture[sure <= 0.05], axis=0) + 1
    share = cv2.GaussianBlur(picture, (0, 0), 3).astype(np.float32) / wall.astype(np.float32)
    near = cv2.dilate((sure > 0.5).astype(np.uint8), np.ones((REACH, REACH), np.uint8)) > 0
    # Dark parts of a subject were lost: what is near it and darker than the wall is its own.
    lost = near & (share.mean(axis=2) < DARKER) & (np.ptp(share, axis=2) < TINTED)
    return np.where(lost, np.float32(1), sure)
