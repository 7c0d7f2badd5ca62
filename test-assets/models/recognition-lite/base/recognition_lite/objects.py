"""Finding things: what they are, where, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from recognition_lite.calibration import confidence
from recognition_lite.edges import DIRECTIONS, WINDOW, Floats, Level, levels
from recognition_lite.network import Network
from recognition_lite.picture import Pixels

BEYOND = 2
"""Cells beyond the picture's edge that a window may have."""
PLACES = 70
"""Windows that are looked at closely."""
MOST = 30
"""Objects in an answer."""
SAME, ALIKE = 0.35, 0.6
"""Boxes that share more than this of what they cover together are one object: of one label, of several."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Found:
    """A label, how likely it is right, 0..1, and its box: x, y, width, height in pixels."""

    label: str
    confidence: float
    box: Box


@dataclass(frozen=True)
class Window:
    """A square of cells: where it is, x, y and side in pixels of the picture, and its edges."""

    x: float
    y: float
    side: float
    edges: Floats


class Finder:
    """The networks of things: one to find places, one to look closely."""

    def __init__(self, places: Path, objects: Path) -> None:
        """Raises ValueError where a file is broken."""
        self._places = Network(places, "places")
        self._objects = Network(objects, "objects")
        self.labels: list[str] = self._objects.facts["labels"]
        self._least: float = self._objects.facts["least"]
        self._slope, self._shift = self._objects.facts["calibration"]

    def find(self, image: Pixels) -> list[Found]:
        """Every thing in uint8 ``(h, w, 3)``, RGB; the surest first."""
        windows = self.windows(levels(image))
        if not windows:
            return []
        (said,) = self._objects.run(np.stack([window.edges for window in windows]))
        found = []
        for window, row in zip(windows, said[:, :, 0, 0], strict=True):
            scores = row[: len(self.labels)]
            best = int(scores.argmax())
            sure = confidence(float(scores[best] - row[len(self.labels)]), self._slope, self._shift)
            if sure >= self._least:
                box = within(placed(window, row[-4:]), *image.shape[:2])
                found.append(Found(self.labels[best], sure, box))
        return apart(found)[:MOST]

    def windows(self, found: list[Level]) -> list[Window]:
        """The most promising windows of all sizes."""
        promising: list[tuple[float, int, int, int]] = []
        for number, level in enumerate(found):
            seen = padded(level)
            (said,) = self._places.run(seen[None])
            promise = said[0, :-1].max(axis=0) - said[0, -1]
            peak = promise == cv2.dilate(promise, np.ones((3, 3), np.uint8))
            promising += [(float(promise[y, x]), number, y, x) for y, x in np.argwhere(peak).tolist()]
        promising.sort(reverse=True)
        return [window_at(found[number], y - BEYOND, x - BEYOND) for _, number, y, x in promising[:PLACES]]


def padded(level: Level) -> Floats:
    """The cells with two empty ones around: things may stand at the picture's edge."""
    return np.pad(level.cells, ((0, 0), (BEYOND, BEYOND), (BEYOND, BEYOND)))


def window_at(level: Level, row: int, column: int) -> Window:
    """The window whose first cell this is; what of it lies beyond the picture's edge is empty."""
    edges = np.zeros((DIRECTIONS, WINDOW, WINDOW), np.float32)
    top, left = max(0, row), max(0, column)
    seen = level.cells[:, top : row + WINDOW, left : column + WINDOW]
    edges[:, top - row : top - row + seen.shape[1], left - column : left - column + seen.shape[2]] = seen
    return Window(column * level.side, row * level.side, WINDOW * level.side, edges)


def placed(window: Window, sides: Floats) -> Box:
    """The box of a thing: its middle and the logarithms of width and height, in shares of the window's side."""
    x, y, wide, high = (float(value) for value in sides)
    width, height = (window.side * float(np.exp(np.clip(value, -3, 1))) for value in (wide, high))
    return window.x + x * window.side - width / 2, window.y + y * window.side - height / 2, width, height


def within(box: Box, height: int, width: int) -> Box:
    """What of a box lies in a picture."""
    left, top = min(max(box[0], 0.0), width - 1.0), min(max(box[1], 0.0), height - 1.0)
    right, bottom = min(box[0] + box[2], float(width)), min(box[1] + box[3], float(height))
    return left, top, max(1.0, right - left), max(1.0, bottom - top)


def apart(found: list[Found]) -> list[Found]:
    """The surest of each object."""
    kept: list[Found] = []
    for one in sorted(found, key=lambda each: -each.confidence):
        if all(overlap(one.box, other.box) < (SAME if one.label == other.label else ALIKE) for other in kept):
            kept.append(one)
    return kept


def overlap(one: Box, other: Box) -> float:
    """What two boxes share, of what they cover together."""
    sides = [min(one[at] + one[at + 2], other[at] + other[at + 2]) - max(one[at], other[at]) for at in (0, 1)]
    shared = max(0.0, sides[0]) * max(0.0, sides[1])
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
