"""The subject's own colours, without those of the background that shone through."""

from __future__ import annotations

import cv2
import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

RADII = (45, 6)
"""How far colours are looked for, in pixels: far first, then near (M. Forte, Approximate Fast Foreground Colour
Estimation, ICIP 2021)."""


def foreground(picture: Pixels, alpha: Floats) -> Pixels:
    """Colours, uint8 ``(h, w, 3)``, that show no old background when laid over another; black where alpha is 0."""
    image = picture.astype(np.float32)
    share = alpha[..., None]
    front, behind = image, image
    for radius in RADII:
        size = (2 * radius + 1, 2 * radius + 1)
        near_front = cv2.blur(front * share, size) / (cv2.blur(alpha, size)[..., None] + 1e-4)
        near_behind = cv2.blur(behind * (1 - share), size) / (cv2.blur(1 - alpha, size)[..., None] + 1e-4)
        front = np.clip(near_front + share * (image - share * near_front - (1 - share) * near_behind), 0, 255)
        behind = np.clip(near_behind, 0, 255)
    front[alpha == 0] = 0
    return np.round(front).astype(np.uint8)
