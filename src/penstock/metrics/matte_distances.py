"""Exact distances from the pixels of one edge to the nearest ones of another."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from penstock.metrics.matte_arrays import Bits

_MOST_LOOKS = 400_000
"""After so many looks at rows a distance transform is made for what is still open: from here on that is quicker."""
_ROUND = 1000
"""What a round costs beside its looks, in looks."""
_NONE = 2**30
"""Far beyond all places of an image: where a row has no pixel."""
_EXACT_FIELD = 2048**2


def nearest(start: Bits, end: Bits) -> npt.NDArray[np.float64]:
    """From each pixel of ``start`` to the nearest one of ``end``, Euclidean, in pixels.

    Edges are thin and mostly near each other, so that looking outwards, row by row, is quicker than a distance
    transform: with the distance along each row known everywhere, a pixel is done as soon as the next rows are farther
    away than what was found.

    Args:
        start: uint8 (H, W), 0 or 1.
        end: the same; at least one pixel is 1.

    Returns:
        float64 (n,), one distance a pixel of ``start``, row by row: roots of whole numbers, exact up to 2,048 px and to
        seven digits above.

    Example:
        >>> nearest(np.array([[1, 0, 0], [1, 0, 0]], np.uint8), np.array([[0, 0, 1], [0, 0, 0]], np.uint8)).tolist()
        [2.0, 2.23606797749979]
    """
    height, width = start.shape
    along = _along_rows(end)
    pixels = np.flatnonzero(np.ascontiguousarray(start).view(np.bool_))
    squares = np.square(along[pixels], dtype=np.float64)
    (still_open,) = np.nonzero(squares)
    looks = row = 0
    while still_open.size and looks <= _MOST_LOOKS:
        looks += _ROUND + still_open.size
        row += 1
        at = pixels[still_open]
        column = at % width
        # In the place of a row beyond the image stands its first or last one, which is nearer than it is taken to be.
        above = along[np.maximum(at - row * width, column)]
        below = along[np.minimum(at + row * width, column + (height - 1) * width)]
        best = np.square(np.minimum(above, below), dtype=np.float64)
        best += row * row
        np.minimum(best, squares[still_open], out=best)
        squares[still_open] = best
        still_open = still_open[best > (row + 1) ** 2]
    if still_open.size:
        squares[still_open] = _in_field(pixels[still_open], end)
    return np.asarray(np.sqrt(squares), dtype=np.float64)


def _along_rows(end: Bits) -> npt.NDArray[np.int32]:
    """For every pixel, the distance to the nearest one of ``end`` in its row; flat."""
    is_end = end.astype(np.bool_)
    flat = is_end.ravel()
    # Which pixel is nearest to the left, or to the right, changes at those of `end` and where a row begins or ends.
    marked = is_end.copy()
    marked[:, 0] = True
    marks = np.flatnonzero(marked)
    to_the_left = np.where(flat[marks], marks, -_NONE).astype(np.int32)
    place = np.arange(flat.size, dtype=np.int32)
    distance = place - np.repeat(to_the_left, np.diff(marks, append=flat.size))
    marked[:, 0] = is_end[:, 0]
    marked[:, -1] = True
    marks = np.flatnonzero(marked)
    to_the_right = np.where(flat[marks], marks, _NONE).astype(np.int32)
    np.minimum(distance, np.repeat(to_the_right, np.diff(marks, prepend=-1)) - place, out=distance)
    return np.asarray(distance, dtype=np.int32)


def _in_field(pixels: npt.NDArray[np.int64], end: Bits) -> npt.NDArray[np.float64]:
    """Squared distances from a distance transform; that is float32 roots of whole numbers, which are found again."""
    field = np.asarray(cv2.distanceTransform(1 - end, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), dtype=np.float32)
    squares = np.square(field.ravel()[pixels].astype(np.float64))
    return np.where(squares < _EXACT_FIELD, np.rint(squares), squares)
