"""Pairs of mattes that any program can draw again, to the bit: whole numbers only, no random generator of a library."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int64]
NAMES = ("hair", "shifted", "noise", "parts", "pale", "cut", "torn")


def pair(name: str) -> tuple[Levels, Levels]:
    """Answer and truth, uint8 (H, W), 0 to 255."""
    rows, columns = np.indices((96, 128))
    if name == "hair":  # half of the strands are lost, and there is a patch too many
        truth = np.maximum(_disc(rows, columns, 70, 60, 1100, 6), _strands(rows, columns, 9))
        answer = np.maximum(_disc(rows, columns, 70, 60, 1000, 4), _strands(rows, columns, 18))
        return np.maximum(answer, _disc(rows, columns, 16, 112, 60, 9)), truth
    if name == "shifted":  # a soft disc with a hole, two pixels off
        return _ring(rows, columns, 48, 66), _ring(rows, columns, 48, 64)
    if name == "noise":
        truth = _disc(rows, columns, 48, 60, 900, 8)
        return _levels(truth.astype(np.int64) + _hash(rows, columns) % 121 - 60), truth
    if name == "parts":  # of three bars one is missing, one has a gap, one is too wide
        truth, answer = np.zeros((2, 96, 128), np.uint8)
        truth[10:30, 8:100] = truth[40:60, 8:100] = truth[70:90, 8:100] = 255
        answer[10:30, 8:40] = answer[10:30, 60:100] = 255
        answer[70:92, 4:118] = 200
        return answer, truth
    if name == "pale":  # the answer keeps to the middle of the range
        truth = _ring(rows, columns, 40, 70)
        return _levels(60 + truth.astype(np.int64) // 2), truth
    if name == "cut":  # a subject that the frame cuts on two sides, and an image that is not as wide
        truth = _disc(rows, columns, 96, 0, 3600, 3)[:, :70]
        return _disc(rows, columns, 94, 4, 3300, 5)[:, :70], truth
    if name == "torn":  # every third tile is wrong
        truth = np.maximum(_disc(rows, columns, 60, 64, 1800, 9), _strands(rows, columns, 15))
        return np.where(_hash(rows // 12, columns // 12) % 3 == 0, 255 - truth, truth).astype(np.uint8), truth
    raise ValueError(name)


def _levels(values: Whole) -> Levels:
    return values.clip(0, 255).astype(np.uint8)


def _disc(rows: Whole, columns: Whole, y: int, x: int, square: int, slope: int) -> Levels:
    return _levels((square - (rows - y) ** 2 - (columns - x) ** 2) * slope // 10)


def _ring(rows: Whole, columns: Whole, y: int, x: int) -> Levels:
    outer, inner = _disc(rows, columns, y, x, 1200, 4), _disc(rows, columns, y, x, 160, 12)
    return _levels(outer.astype(np.int64) - inner)


def _strands(rows: Whole, columns: Whole, every: int) -> Levels:
    strand = ((columns + rows // 3) % every == 0) & (rows < 60) & (rows > 6)
    return _levels(np.where(strand, 90 + 3 * rows, 0))


def _hash(rows: Whole, columns: Whole) -> Whole:
    return (rows * 7919 + columns * 104729 + 12345) * 1103515245 % 2147483648 // 65536
