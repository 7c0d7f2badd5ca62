"""What every metric of alpha mattes asks of its arrays, and the masks and edge pixels that several start from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError

Matte = npt.NDArray[np.float64]
"""Alpha, (H, W), 0 (background) to 1 (foreground)."""
Unknown = npt.NDArray[np.bool_]
"""The unknown region of a trimap, (H, W): where the errors are counted."""
Bits = npt.NDArray[np.uint8]
"""(H, W), 0 or 1: OpenCV's form of a mask."""

FOREGROUND = 0.5
"""A pixel of at least this alpha is foreground."""
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


class NoEdgeError(UsageError):
    """There is no value: one of the mattes has no edge that could be compared."""


@dataclass(frozen=True)
class Shape:
    """What a matte shows: its foreground, and the edge of it."""

    mask: Bits
    """Alpha ≥ 0.5."""
    edge: Bits
    """Foreground pixels with one of their four neighbours in the background; beyond the frame is no background."""

    @property
    def has_edge(self) -> bool:
        """Whether there is an edge pixel; a shape without one is empty or full."""
        return cv2.countNonZero(self.edge) > 0

    @property
    def is_full(self) -> bool:
        """Whether a shape without an edge is full."""
        return bool(self.mask.flat[0])


def shape_of(matte: Matte) -> Shape:
    """The foreground of a matte, and its edge.

    Example:
        >>> shape_of(np.array([[1.0, 1.0, 0.4], [1.0, 1.0, 0.5]])).edge.tolist()
        [[0, 1, 0], [0, 0, 1]]
    """
    mask = np.greater_equal(matte, FOREGROUND).view(np.uint8)
    # What erosion meets beyond the frame erodes nothing.
    inner = np.asarray(cv2.erode(mask, _CROSS), dtype=np.uint8)
    return Shape(mask, np.asarray(cv2.subtract(mask, inner), dtype=np.uint8))


def check_pair(prediction: Matte, truth: Matte, unknown: Unknown | None = None) -> None:
    """Refuse what is no pair of mattes.

    Raises:
        UsageError: an array is not float64 (H, W) of at least one pixel, has a value outside 0 to 1 or one that is no
            number; the two differ in size; ``unknown`` is no bool array of their size, or has no pixel.

    Example:
        >>> check_pair(np.zeros((4, 4)), np.full((4, 4), 2.0))
        Traceback (most recent call last):
        ...
        penstock.foundation.errors.UsageError: the ground truth has values from 2 to 2, alpha is 0 to 1
    """
    _check(prediction, "the prediction")
    _check(truth, "the ground truth")
    if prediction.shape != truth.shape:
        raise UsageError(
            f"the prediction is {_size(prediction)} pixels, the ground truth {_size(truth)}",
            todo="Give mattes of one size.",
        )
    if unknown is None:
        return
    if unknown.dtype != np.bool_ or unknown.shape != truth.shape:
        raise UsageError(f"the unknown region is {unknown.dtype} {unknown.shape}, it must be bool {truth.shape}")
    if not unknown.any():
        raise UsageError(
            "the trimap has no unknown pixel", todo="Mark the pixels to be scored with 128, or give no trimap."
        )


def _check(matte: Matte, name: str) -> None:
    if matte.dtype != np.float64 or matte.ndim != 2 or 0 in matte.shape:
        raise UsageError(f"{name} is {matte.dtype} {matte.shape}, a matte is float64 (H, W)")
    least, most = float(matte.min()), float(matte.max())
    if not (least >= 0.0 and most <= 1.0):  # true of NaN, too
        raise UsageError(f"{name} has values from {least:g} to {most:g}, alpha is 0 to 1")


def _size(matte: Matte) -> str:
    return f"{matte.shape[1]}x{matte.shape[0]}"


def alike_without_edge(answer: Shape, true: Shape) -> bool:
    """Whether there is nothing to compare: neither shape has an edge, and both are empty, or both full.

    Raises:
        NoEdgeError: neither has an edge, but one is empty and the other full.

    Example:
        >>> alike_without_edge(shape_of(np.zeros((9, 9))), shape_of(np.zeros((9, 9))))
        True
    """
    if answer.has_edge or true.has_edge:
        return False
    if answer.is_full != true.is_full:
        raise NoEdgeError(
            f"the prediction is {_filling(answer)} and the ground truth {_filling(true)}: neither has an edge"
        )
    return True


def require_edge(shape: Shape, name: str) -> None:
    """Refuse a shape that has no edge; ``name`` says whose it is.

    Raises:
        NoEdgeError: it has none.

    Example:
        >>> require_edge(shape_of(np.ones((9, 9))), "the prediction")
        Traceback (most recent call last):
        ...
        penstock.metrics.matte_arrays.NoEdgeError: the prediction is full: it has no edge
    """
    if not shape.has_edge:
        raise NoEdgeError(f"{name} is {_filling(shape)}: it has no edge")


def _filling(shape: Shape) -> str:
    return "full" if shape.is_full else "empty"
