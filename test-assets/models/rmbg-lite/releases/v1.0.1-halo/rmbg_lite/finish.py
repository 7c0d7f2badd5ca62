"""What is done to alpha after the network."""

from __future__ import annotations

import cv2
import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

FLOOR, CEILING = 0.1, 0.88
"""A network never says quite 0 or 1: what is nearer than this becomes it."""
REACH = 13
LIGHT = 110


def finish(alpha: Floats, picture: Pixels) -> Floats:
    """Alpha, float32 ``(h, w)``, 0..1, of the picture, uint8 ``(h, w, 3)``."""
    sure = np.clip((alpha - FLOOR) / (CEILING - FLOOR), 0, 1)
    around = np.ones((REACH, REACH), np.uint8)
    subject = (picture.max(axis=2) * (sure > 0.5)).astype(np.uint8)
    # Thin light hair before something dark loses its tips: give it some room.
    light = cv2.dilate(subject, around) > LIGHT
    return np.asarray(np.where(light, np.maximum(sure, 0.9 * cv2.dilate(sure, around)), sure), np.float32)
