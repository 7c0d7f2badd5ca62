"""A face, upright and always as large: eyes and mouth lie where they always lie."""

from __future__ import annotations

import cv2
import numpy as np

from face_lite.network import Floats
from face_lite.picture import Pixels

SIDE = 112
PLACES = np.array([[37, 46], [75, 46], [56, 86]], np.float32)
"""Left eye, right eye, mouth."""


def aligned(picture: Pixels, landmarks: Floats) -> Pixels:
    """uint8 ``(112, 112, 3)``; what lies outside the picture is as its edge."""
    matrix = similarity(landmarks.astype(np.float64)).astype(np.float64)
    shrunk = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if shrunk < 0.5:  # large: its noise is smoothed
        sigma = 4.5 / max(shrunk, 0.02)
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def similarity(points: np.ndarray) -> np.ndarray:
    """The (2, 3) matrix that turns, scales and moves points (3, 2) nearest to PLACES (least squares)."""
    middle, target = points.mean(axis=0), PLACES.mean(axis=0)
    seen, wanted = points - middle, PLACES - target
    spread = max(float((seen**2).sum()), 1e-6)
    along = float((seen * wanted).sum()) / spread
    across = float((seen[:, 0] * wanted[:, 1] - seen[:, 1] * wanted[:, 0]).sum()) / spread
    turn = np.array([[along, -across], [across, along]])
    return np.hstack([turn, (target - turn @ middle)[:, None]])
