"""Small mattes that any program can draw again, to the bit: whole numbers only, no random generator of a library."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 72, 96
NAMES = ("soft", "noise", "ties", "faint", "fifths")


def drawn(name: str) -> tuple[Levels, Levels, Levels]:
    """Prediction, truth and trimap, uint8 (72, 96); the trimap is 128 where the truth is neither 0 nor 255."""
    prediction, truth = _draw(name)
    trimap = truth.copy()
    trimap[(truth > 0) & (truth < 255)] = 128
    return prediction, truth, trimap


def _draw(name: str) -> tuple[Levels, Levels]:
    rows, columns = np.indices((HEIGHT, WIDTH))
    if name == "soft":  # a body with strands; the answer lies lower, misses strands and has a patch of its own
        truth = np.maximum(_disc(rows, columns, 44, 48, 900, 7), _strands(rows, columns, 9))
        answer = np.maximum(_disc(rows, columns, 45, 48, 850, 5), _strands(rows, columns, 18))
        return np.maximum(answer, _disc(rows, columns, 10, 84, 30, 9)), truth
    if name == "noise":
        truth = _disc(rows, columns, 36, 40, 700, 11)
        return _levels(truth.astype(np.int64) + _hash(rows, columns) % 81 - 40), truth
    if name == "ties":  # three regions of one size, of which the lower left one is not the first, row by row
        truth = np.zeros((HEIGHT, WIDTH), np.uint8)
        truth[4:12, 40:70] = 255
        truth[20:50, 22:30] = 255
        truth[60:68, 22:52] = 230
        answer = truth.copy()
        answer[4:12, 50:70] = 180
        answer[20:50, 22:26] = 239
        answer[60:68] = truth[60:68] // 230 * 200
        return answer, truth
    if name == "faint":  # the answer does not use the whole range
        truth = _disc(rows, columns, 36, 50, 800, 6)
        return _levels(20 + truth.astype(np.int64) * 2 // 3), truth
    if name == "fifths":  # alpha of exactly 0.2, 0.4, 0.6, 0.8: on the thresholds
        truth = _levels(_disc(rows, columns, 36, 48, 1100, 4).astype(np.int64) // 51 * 51)
        return np.array([0, 102, 51, 204, 153, 255], np.uint8)[truth // 51], truth
    raise ValueError(name)


def _levels(values: npt.NDArray[np.int64]) -> Levels:
    return values.clip(0, 255).astype(np.uint8)


def _disc(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], y: int, x: int, square: int, slope: int
) -> Levels:
    return _levels((square - (rows - y) ** 2 - (columns - x) ** 2) * slope // 10)


def _strands(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], every: int) -> Levels:
    strand = ((columns + rows // 3) % every == 0) & (rows < 44) & (rows > 6)
    return _levels(np.where(strand, 60 + 3 * rows, 0))


def _hash(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    mixed = (rows * 7919 + columns * 104729 + 12345) * 1103515245 % 2147483648
    return np.asarray(mixed // 65536, dtype=np.int64)
