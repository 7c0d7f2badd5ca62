"""Small mattes and cut-outs on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Alpha = npt.NDArray[np.float64]


def disc(size: tuple[int, int] = (80, 60), radius: int = 20) -> npt.NDArray[np.uint8]:
    """A disc with a soft edge, 8 bits; ``size`` is width and height."""
    width, height = size
    picture = np.zeros((height, width), np.uint8)
    cv2.circle(picture, (width // 2, height // 2), radius, 255, -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1), dtype=np.uint8)


def cutout(alpha: npt.NDArray[np.uint8], grey: int = 120) -> npt.NDArray[np.uint8]:
    """BGRA of one grey."""
    return np.dstack([*[np.full_like(alpha, grey)] * 3, alpha])


def save(path: Path, picture: npt.NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)
    return path
