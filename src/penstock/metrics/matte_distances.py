"""Exact distances from the pixels of one edge to the nearest ones of another."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from penstock.metrics.matte_arrays import Bits

_CLOSE = 4
"""Up to this distance the neighbours are looked at one by one: most pixels of a good answer need no more."""
_MOST_PAIRS = 1_000_000
"""Up to so many pairs of pixels are compared one by one; for more, a distance transform is quicker."""
_EXACT_FIELD = 2048
_Numbers = npt.NDArray[np.int64]


def nearest(start: Bits, end: Bits) -> npt.NDArray[np.float64]:
    """From each pixel of ``start`` to the nearest one of ``end``, Euclidean, in pixels.

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
    rows, columns = np.nonzero(start.view(np.bool_))
    squares, far = _among_neighbours(rows, columns, end)
    if far.size:
        end_rows, end_columns = np.nonzero(end.view(np.bool_))
        if far.size * end_rows.size <= _MOST_PAIRS:
            squares[far] = _of_all_pairs(rows[far], columns[far], end_rows, end_columns)
        else:
            squares[far] = _in_field(rows[far], columns[far], end)
    return np.asarray(np.sqrt(squares), dtype=np.float64)


def _among_neighbours(rows: _Numbers, columns: _Numbers, end: Bits) -> tuple[npt.NDArray[np.float64], _Numbers]:
    """Squared distances of the pixels that have one of ``end`` close by, and the places of those that have none."""
    padded = np.pad(end, _CLOSE)
    places = (rows + _CLOSE) * padded.shape[1] + columns + _CLOSE
    squares = np.zeros(places.size)
    far = np.arange(places.size)
    flat = padded.ravel()
    for square, offset in _neighbours(padded.shape[1]):
        found = flat[places[far] + offset].view(np.bool_)
        squares[far[found]] = square
        far = far[~found]
        if not far.size:
            break
    return squares, far


def _neighbours(width: int) -> list[tuple[int, int]]:
    """Squared distance and offset in a flat image of all pixels of a disc, the nearest first."""
    reach = range(-_CLOSE, _CLOSE + 1)
    disc = ((y * y + x * x, y * width + x) for y in reach for x in reach if y * y + x * x <= _CLOSE**2)
    return sorted(disc)


def _of_all_pairs(rows: _Numbers, columns: _Numbers, end_rows: _Numbers, end_columns: _Numbers) -> _Numbers:
    """Squared distance of each pixel to the nearest of the others, all pairs looked at."""
    squares = np.square(rows[:, None] - end_rows)
    squares += np.square(columns[:, None] - end_columns)
    return np.asarray(squares.min(axis=1), dtype=np.int64)


def _in_field(rows: _Numbers, columns: _Numbers, end: Bits) -> npt.NDArray[np.float64]:
    """Squared distances from a distance transform; that is float32 roots of whole numbers, which are found again."""
    field = np.asarray(cv2.distanceTransform(1 - end, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), dtype=np.float32)
    squares = np.square(field[rows, columns].astype(np.float64))
    return np.where(squares < _EXACT_FIELD**2, np.rint(squares), squares)
