"""Small pictures with known pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def cut_out(width: int = 8, height: int = 6) -> Picture:
    """uint8 (H, W, 4) BGRA: colours that differ, alpha from 0 to 255."""
    picture = np.zeros((height, width, 4), np.uint8)
    picture[..., 0] = np.arange(width) * 20
    picture[..., 1] = np.arange(height)[:, None] * 30
    picture[..., 2] = 200
    picture[..., 3] = np.linspace(0, 255, width).astype(np.uint8)
    return picture


def png(path: Path, picture: Picture) -> Path:
    """Written as PNG."""
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return path
