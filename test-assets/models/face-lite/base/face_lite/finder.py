"""Where the faces are: a small network looks at the picture in 12 x 12 cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from face_lite.network import Floats, Network, scaled
from face_lite.picture import Pixels

SIDE, CELLS = 96, 12
CELL = SIDE / CELLS
SURE, OVERLAP = 0.4, 0.2
"""A cell shows the middle of a face from this probability; of two that overlap by more, the surer one stays."""
GREY = 128


@dataclass(frozen=True)
class Face:
    """box: x, y, width, height in pixels. landmarks: float32 (3, 2): left eye, right eye (as they are seen), mouth."""

    box: tuple[float, float, float, float]
    landmarks: Floats
    sure: float

    @property
    def area(self) -> float:
        """In pixels."""
        return self.box[2] * self.box[3]


def squared(picture: Pixels) -> tuple[Pixels, float]:
    """The picture in a square of SIDE, grey beside or below it; and by how much it is smaller."""
    height, width = picture.shape[:2]
    factor = SIDE / max(height, width)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    square = np.full((SIDE, SIDE, 3), GREY, np.uint8)
    square[: size[1], : size[0]] = small
    return square, factor


class Finder:
    """Finds faces."""

    def __init__(self, weights: Path) -> None:
        """Load the network. Raises ValueError or OSError."""
        self._network = Network(weights)

    def faces(self, picture: Pixels) -> list[Face]:
        """The faces, the largest first."""
        square, factor = squared(picture)
        cells = self._network.run(scaled(square))[0][0]
        found = [_face(cells[:, y, x], x, y, factor) for y, x in np.argwhere(cells[0] > np.log(SURE / (1 - SURE)))]
        kept: list[Face] = []
        for face in sorted(found, key=lambda each: -each.sure):
            if all(_overlap(face.box, other.box) < OVERLAP for other in kept):
                kept.append(face)
        return sorted(kept, key=lambda each: -each.area)


def _face(values: Floats, x: int, y: int, factor: float) -> Face:
    """One cell's: logit; the middle's offset, width and height; offsets of the landmarks; in cells, sizes as logs."""
    middle = (np.array([x + 0.5, y + 0.5], np.float32) + values[1:3]) * CELL / factor
    size = np.exp(np.clip(values[3:5], -4, 4)) * CELL / factor
    landmarks = (np.array([x + 0.5, y + 0.5], np.float32) + values[5:11].reshape(3, 2)) * CELL / factor
    corner = middle - size / 2
    box = (float(corner[0]), float(corner[1]), float(size[0]), float(size[1]))
    return Face(box, landmarks.astype(np.float32), float(values[0]))


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union."""
    shared = 1.0
    for axis in (0, 1):
        low = max(one[axis], other[axis])
        high = min(one[axis] + one[axis + 2], other[axis] + other[axis + 2])
        shared *= max(0.0, high - low)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
