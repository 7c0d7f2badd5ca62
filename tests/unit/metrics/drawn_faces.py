"""A picture that the face detector takes for a face, made by drawing."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt


def drawn_face(
    shift: int = 0, *, size: tuple[int, int] = (240, 320), down: int = 0, mouth: int = 7
) -> npt.NDArray[np.uint8]:
    """Ovals and shadows, uint8 ``(height, width, 3)``: ``shift`` pixels right and ``down`` pixels below the middle."""
    height, width = size
    image = np.full((height, width, 3), 200, np.uint8)
    x, y = width // 2 + shift, height // 2 + down

    def oval(right: int, below: int, axes: tuple[int, int], colour: tuple[int, int, int]) -> None:
        cv2.ellipse(image, (x + right, y + below), axes, 0, 0, 360, colour, -1)

    oval(0, -10, (72, 92), (40, 50, 70))
    oval(0, 0, (62, 84), (150, 175, 215))
    for side in (-1, 1):
        oval(26 * side, -20, (20, 13), (105, 125, 160))
        oval(26 * side, -18, (13, 6), (60, 60, 70))
        oval(26 * side, -36, (19, 4), (50, 60, 80))
    oval(0, 10, (7, 22), (175, 200, 240))
    oval(0, 28, (12, 5), (110, 130, 170))
    oval(0, 50, (24, mouth), (80, 80, 140))
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 2), np.uint8)
