"""How edges run in each cell of a picture, at several sizes: what things are known by."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from recognition_lite.picture import Pixels

DIRECTIONS = 9
CELL, WINDOW, THING = 6, 8, 6
"""Pixels of a cell's side; cells of a window's side, and of the longer side of a thing in it."""
LONGER = (0.12, 0.17, 0.24, 0.34, 0.48)
"""Sizes of things that are looked for: the longer side, of the picture's shorter."""
NOISE = 0.02
"""Of the picture's contrast: fainter edges are noise."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Level:
    """A picture at one size: its edges, ``(DIRECTIONS, rows, columns)``, and a cell's side in its pixels."""

    cells: Floats
    side: float


def levels(image: Pixels) -> list[Level]:
    """uint8 ``(h, w, 3)`` at all sizes."""
    height, width = image.shape[:2]
    grey = image.astype(np.float32)
    contrast = max(float(grey.std()), 3.0)
    found = []
    for share in LONGER:
        scale = THING * CELL / (share * min(height, width))
        size = (round(width * scale), round(height * scale))
        flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        found.append(Level(cells(cv2.resize(grey, size, interpolation=flags) / contrast), CELL / scale))
    return found


def cells(colours: Floats) -> Floats:
    """Edges of colours ``(h, w, 3)``, whose contrast is 1, cell by cell (Dalal and Triggs, 2005)."""
    rows, columns = colours.shape[0] // CELL, colours.shape[1] // CELL
    across, down = strongest(cv2.GaussianBlur(colours, (3, 3), 0))
    whole = (slice(rows * CELL), slice(columns * CELL))
    size, angle = cv2.cartToPolar(np.ascontiguousarray(across[whole]), np.ascontiguousarray(down[whole]))
    turn = angle * np.float32(DIRECTIONS / np.pi)
    first = turn.astype(np.intp)
    share = turn - first.astype(np.float32)
    cell = (np.arange(rows * CELL) // CELL)[:, None] * columns + (np.arange(columns * CELL) // CELL)[None]
    found = np.zeros(DIRECTIONS * rows * columns)
    for direction, weight in ((first, size * (1 - share)), (first + 1, size * share)):
        at = (direction % DIRECTIONS) * (rows * columns) + cell
        found += np.bincount(at.ravel(), weight.ravel(), len(found))
    found = (found / CELL**2).astype(np.float32).reshape(DIRECTIONS, rows, columns)
    energy = cv2.blur((found**2).sum(axis=0), (3, 3))
    return np.minimum(found / np.sqrt(energy + NOISE), 0.8)


def strongest(smooth: Floats) -> tuple[Floats, Floats]:
    """How colours ``(h, w, 3)`` change across and down, in each pixel those of the channel that changes most."""
    first, *others = (
        (cv2.Sobel(channel, cv2.CV_32F, 1, 0), cv2.Sobel(channel, cv2.CV_32F, 0, 1)) for channel in cv2.split(smooth)
    )
    across, down = first
    strength = across * across + down * down
    for other_across, other_down in others:
        other = other_across * other_across + other_down * other_down
        stronger = other > strength
        for part, taken in ((strength, other), (across, other_across), (down, other_down)):
            np.copyto(part, taken, where=stronger)
    return across, down
