"""How far two answers of one model lie apart, where neither is the truth: in alpha as a whole, and at the edges.

A mean over the picture can hide one broken strand of hair; what happens at the edges is therefore looked at alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.metrics.matte_arrays import Matte, shape_of

SOFT = (0.05, 0.95)
"""Alpha between these is an edge, however it comes there: noise of a few levels in the background is none."""
GROWN = 2
"""Pixels, in rows and in columns, by which the edge band is wider than the edges of the two."""
PERCENTILE = 99.9


@dataclass(frozen=True)
class Apart:
    """How far the two are apart: all are differences of alpha, 0 to 1, and 0 where the two are the same."""

    mae: float
    """The mean over all pixels."""
    edge_max: float
    """The largest in the edge band."""
    edge_p999: float
    """The 99.9th percentile in the edge band."""


def matte_agreement(one: Matte, other: Matte) -> Apart:
    """How far two mattes lie apart; the same whichever comes first.

    The edge band is where either has an edge (alpha between 0.05 and 0.95, or the outline of alpha ≥ 0.5), grown by 2
    pixels (a square of 5 × 5): so a strand that one of them lacks is in it, and a speck that only one has, too. Without
    a band, both of its values are 0. The percentile is interpolated linearly between two pixels' values.

    Args:
        one: float64 (H, W), 0 to 1.
        other: the same.

    Raises:
        UsageError: the two differ in size.

    Example:
        >>> one = np.zeros((64, 64))
        >>> one[16:48, 16:48] = 1.0
        >>> other = one.copy()
        >>> other[30, :16] = 0.8  # a strand that the first one lacks
        >>> matte_agreement(one, other).edge_max, matte_agreement(one, one)
        (0.8, Apart(mae=0.0, edge_max=0.0, edge_p999=0.0))
    """
    if one.shape != other.shape:
        raise UsageError(f"the answers differ in size: {_size(one)} and {_size(other)} pixels")
    difference = np.abs(one - other)
    side = 2 * GROWN + 1
    band = cv2.dilate(_edges(one) | _edges(other), np.ones((side, side), np.uint8)).astype(bool)
    at_edges = difference[band]
    if not at_edges.size:
        return Apart(float(difference.mean()), 0.0, 0.0)
    return Apart(float(difference.mean()), float(at_edges.max()), float(np.percentile(at_edges, PERCENTILE)))


def _edges(matte: Matte) -> npt.NDArray[np.uint8]:
    """1 where there is an edge."""
    soft = (matte > SOFT[0]) & (matte < SOFT[1])
    return np.asarray(soft.view(np.uint8) | shape_of(matte).edge, dtype=np.uint8)


def _size(matte: Matte) -> str:
    return f"{matte.shape[1]}x{matte.shape[0]}"
