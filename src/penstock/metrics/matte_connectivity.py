"""Up to which alpha a pixel hangs together with the subject: the part of the connectivity error that takes the time."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from penstock.metrics.matte_arrays import Bits, Matte

LEVELS = 10
"""Thresholds i/10, i from 1 to this."""
_BEFORE_NINTH = np.nextafter(0.9, 0)
_MOST_FILLS = 16
"""Regions that are filled one by one before all are labelled at once."""
_FIRST_FILL = 2
"""0 is background, 1 what has not been filled, then one value a region."""


def reached_level(both: Matte) -> Bits:
    """For each pixel, the number of the highest of the thresholds 0.1, 0.2 … 1.0 that its alpha reaches; 0 if none.

    Each threshold is the float64 nearest to i/10. Ten times that is i, so that multiplying finds every threshold that
    is reached; ten times the number before 0.9 rounds to 9 as well, which is put right.

    Args:
        both: float64 (H, W), 0 to 1.

    Example:
        >>> reached_level(np.array([[0.0, 0.3, 153 / 255, np.nextafter(0.6, 0)]])).tolist()
        [[0, 3, 6, 5]]
    """
    reached = np.asarray(both * LEVELS, dtype=np.float64).astype(np.uint8)
    reached -= both == _BEFORE_NINTH
    return reached


def connected_level(reached: Bits) -> Bits:
    """For each pixel, up to which of the thresholds it is in the largest 4-connected region of those that reach it.

    Regions of a threshold lie inside those of a lower one, so that the pixels which have been in every largest region
    so far are themselves the largest region of the last threshold, or none.

    Args:
        reached: uint8 (H, W), 0 to 10, from :func:`reached_level` of the lesser alpha of two mattes.

    Returns:
        uint8 (H, W), 0 to 10: the number of the last threshold, from the first on, whose largest region held the pixel.

    Example:
        >>> connected_level(np.array([[3, 3, 0, 9], [10, 3, 0, 0]], np.uint8)).tolist()
        [[3, 3, 0, 0], [10, 3, 0, 0]]
    """
    # One buffer with two views: OpenCV fills regions in it, and bytearray.find is the quickest way to the next pixel.
    memory = bytearray(reached.size)
    shown = np.frombuffer(memory, np.uint8).reshape(reached.shape)
    level = np.zeros_like(reached)
    seed = _likely(reached)
    for number in range(1, LEVELS + 1):
        np.greater_equal(reached, number, out=shown.view(np.bool_))
        largest = _largest(memory, shown, seed)
        if largest is None:
            break
        level += largest & (level == number - 1)
    return level


def _likely(reached: Bits) -> tuple[int, int]:
    """Column and row of a pixel of the largest region, most likely: of the highest alpha where most is high."""
    height, width = reached.shape
    across, down = min(width, 32), min(height, 32)
    blocks = cv2.resize(reached, (across, down), interpolation=cv2.INTER_AREA)
    row, column = np.unravel_index(np.argmax(blocks), blocks.shape)
    top, left = int(row) * height // down, int(column) * width // across
    part = reached[top : (int(row) + 1) * height // down, left : (int(column) + 1) * width // across]
    y, x = np.unravel_index(np.argmax(part), part.shape)
    return left + int(x), top + int(y)


def _largest(memory: bytearray, shown: Bits, seed: tuple[int, int]) -> Bits | None:
    """The largest 4-connected region of ones, as 0 and 1; ``None`` if there is none. Overwrites the ones.

    One region after the other is filled, beginning at ``seed``, until what is left is smaller than the largest: for
    most mattes that is one. Where there are many, all are labelled.
    """
    left = cv2.countNonZero(shown)
    if not left:
        return None
    width = shown.shape[1]
    best, best_size = 0, 0
    at = seed[1] * width + seed[0]
    if memory[at] != 1:
        at = memory.find(1)
    for value in range(_FIRST_FILL, _FIRST_FILL + _MOST_FILLS):
        size, _, _, _ = cv2.floodFill(shown, None, (at % width, at // width), value)
        left -= size
        if size > best_size or (size == best_size and _first(shown == value) < _first(shown == best)):
            best, best_size = value, size
        if left < best_size:
            return np.equal(shown, best).view(np.uint8)
        at = memory.find(1)
    return _largest_of_all((shown > 0).view(np.uint8))


def _largest_of_all(mask: Bits) -> Bits:
    """The same by labels, for any number of regions (at least one)."""
    labels = np.asarray(cv2.connectedComponents(mask, connectivity=4, ltype=cv2.CV_32S)[1])
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    is_largest = sizes == sizes.max()
    best = np.argmax(is_largest)
    if np.count_nonzero(is_largest) > 1:
        by_columns = labels.T.ravel()
        best = by_columns[np.argmax(is_largest[by_columns])]
    return np.equal(labels, best).view(np.uint8)


def _first(region: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Column and row of a region's leftmost pixel, the topmost of those."""
    column = int(np.argmax(region.any(axis=0)))
    return column, int(np.argmax(region[:, column]))
