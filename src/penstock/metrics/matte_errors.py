"""How far an alpha matte is from the true one, pixel by pixel: MAE, MSE, SAD, the gradient and the connectivity error.

All are 0 for equal mattes, and lower is better. Where a trimap's unknown region is given, they are of its pixels alone;
gradients and connected regions are those of the whole matte even then.

Source: Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting" (CVPR 2009), in the form of the
MATLAB evaluation of Deep Image Matting (Xu et al., CVPR 2017), which papers quote; here in float64 throughout, where
that is partly in float32.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from penstock.metrics.matte_arrays import Matte, Unknown, check_pair
from penstock.metrics.matte_connectivity import connected_level, reached_level

SCALE = 1000
"""SAD, the gradient error and the connectivity error are sums divided by this."""
GRADIENT_SIGMA = 1.4
"""Standard deviation, in pixels, of the Gaussian whose derivative the gradient is."""
_REACH = 4
"""The filter ends where the Gaussian falls below 0.01: 4 pixels from its centre."""
CONNECTIVITY_THETA = 0.15
"""Alpha above the level at which a pixel is still connected counts from this on."""
_ROWS = 64
"""Rows that are worked on together: a few such strips stay in the processor's cache."""


def mae(prediction: Matte, truth: Matte, unknown: Unknown | None = None) -> float:
    """Mean absolute error of alpha, 0 to 1.

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: the same, of the same size.
        unknown: bool (H, W), the pixels that count; all, if there is none.

    Raises:
        UsageError: what :func:`penstock.metrics.matte_arrays.check_pair` refuses. So do all functions here.

    Example:
        >>> mae(np.array([[0.0, 0.5]]), np.array([[0.0, 1.0]]))
        0.25
    """
    check_pair(prediction, truth, unknown)
    absolute, _, count = difference(prediction, truth, unknown)
    return absolute / count


def mse(prediction: Matte, truth: Matte, unknown: Unknown | None = None) -> float:
    """Mean squared error of alpha, 0 to 1. Arguments as for :func:`mae`.

    Example:
        >>> mse(np.array([[0.0, 0.5]]), np.array([[0.0, 1.0]]))
        0.125
    """
    check_pair(prediction, truth, unknown)
    _, squared, count = difference(prediction, truth, unknown)
    return squared / count


def sad(prediction: Matte, truth: Matte, unknown: Unknown | None = None) -> float:
    """Sum of absolute differences of alpha, in thousands of pixels. Arguments as for :func:`mae`.

    Example:
        >>> sad(np.zeros((40, 50)), np.full((40, 50), 0.5))
        1.0
    """
    check_pair(prediction, truth, unknown)
    absolute, _, _ = difference(prediction, truth, unknown)
    return absolute / SCALE


def grad(prediction: Matte, truth: Matte, unknown: Unknown | None = None) -> float:
    """Gradient error, ≥ 0: how differently sharp the two are. Arguments as for :func:`mae`.

    The sum over the pixels, in thousands, of the squared difference of the gradients' lengths. The gradient is that of
    the matte stretched to 0 to 1 (so that a prediction which is too faint all over costs nothing here: see MAE); its
    filters are first derivatives of a Gaussian of σ 1.4, 9 × 9 pixels, with a sum of squares of 1; beyond the frame the
    outermost pixels are repeated. A matte of one value has no gradient.

    Example:
        >>> truth = np.zeros((64, 64))
        >>> truth[:, 32:] = 1
        >>> blurred = cv2.GaussianBlur(truth, (0, 0), 2)
        >>> grad(truth, truth), round(grad(blurred, truth), 4)
        (0.0, 0.2211)
    """
    check_pair(prediction, truth, unknown)
    return gradient_error(prediction, truth, unknown)


def conn(prediction: Matte, truth: Matte, unknown: Unknown | None = None) -> float:
    """Connectivity error, ≥ 0: what is cut off from the subject, or hangs on to it, unlike the truth.

    Arguments as for :func:`mae`. For each threshold i/10, i from 1 to 10, Ω is the largest 4-connected region in which
    both mattes are at least i/10. The level l of a pixel is the last threshold (0 if none) up to which it has been in
    every Ω. With d = α − l, a matte's connectivity there is 1 − d where d ≥ 0.15, else 1. The error is the sum over the
    pixels, in thousands, of the absolute difference of the two connectivities.

    The thresholds are the numbers nearest to i/10: ports that add up steps of 0.1 get 0.6000000000000001 and lose the
    pixels of alpha 153/255. The background is no region: ports that count it in take it for Ω wherever it is the larger
    part, and come out 5 to 15 % low on hair. Of regions of equal size, Ω is the one with the leftmost pixel, then the
    topmost of those, as in MATLAB. Where the two share no region, Ω is empty (the MATLAB code stops there).

    Example:
        >>> truth = np.zeros((40, 80))
        >>> truth[10:30, 10:70] = 1
        >>> broken = truth.copy()
        >>> broken[:, 30:32] = 0
        >>> conn(truth, truth), conn(broken, truth), sad(broken, truth)
        (0.0, 0.04, 0.04)
    """
    check_pair(prediction, truth, unknown)
    return connectivity_error(prediction, truth, unknown)


def difference(prediction: Matte, truth: Matte, unknown: Unknown | None) -> tuple[float, float, int]:
    """Sum of the absolute differences, sum of their squares, and the number of pixels; of checked arrays.

    Example:
        >>> difference(np.array([[0.0, 0.5]]), np.array([[0.0, 1.0]]), None)
        (0.5, 0.25, 2)
    """
    absolute, squared = [], []
    for rows in _strips(len(truth)):
        apart = prediction[rows] - truth[rows]
        if unknown is not None:
            apart *= unknown[rows]
        absolute.append(cv2.norm(apart, cv2.NORM_L1))
        squared.append(cv2.norm(apart, cv2.NORM_L2SQR))
    count = truth.size if unknown is None else int(np.count_nonzero(unknown))
    return math.fsum(absolute), math.fsum(squared), count


def gradient_error(prediction: Matte, truth: Matte, unknown: Unknown | None) -> float:
    """:func:`grad` of checked arrays.

    Example:
        >>> gradient_error(np.zeros((9, 9)), np.ones((9, 9)), None)
        0.0
    """
    stretches = [_stretch(prediction), _stretch(truth)]
    smooth, slope = _filters()
    padded = [
        np.asarray(cv2.copyMakeBorder(matte, _REACH, _REACH, _REACH, _REACH, cv2.BORDER_REPLICATE), np.float64)
        for matte in (prediction, truth)
    ]
    # Where the two are equal as far as the filter reaches, so are their gradients.
    differs = None if stretches[0] != stretches[1] else padded[0] != padded[1]
    total = []
    for rows in _strips(len(truth)):
        reach = slice(rows.start, rows.stop + 2 * _REACH)
        for columns in _columns(truth.shape[1], None if differs is None else differs[reach]):
            seen = slice(columns.start, columns.stop + 2 * _REACH)
            lengths = []
            for matte, stretch in zip(padded, stretches, strict=True):
                part = matte[reach, seen]
                across = _inside(cv2.sepFilter2D(part, cv2.CV_64F, slope, smooth))
                down = _inside(cv2.sepFilter2D(part, cv2.CV_64F, smooth, slope))
                lengths.append(stretch * np.asarray(cv2.magnitude(across, down), dtype=np.float64))
            apart = lengths[0] - lengths[1]
            if unknown is not None:
                apart *= unknown[rows, columns]
            total.append(cv2.norm(apart, cv2.NORM_L2SQR))
    return math.fsum(total) / SCALE


def connectivity_error(prediction: Matte, truth: Matte, unknown: Unknown | None) -> float:
    """:func:`conn` of checked arrays.

    Example:
        >>> round(connectivity_error(np.full((10, 10), 0.25), np.full((10, 10), 0.75), None), 6)
        0.055
    """
    reached = np.empty(truth.shape, np.uint8)
    for rows in _strips(len(truth)):
        reached[rows] = reached_level(np.minimum(prediction[rows], truth[rows]))
    level = connected_level(reached)
    total = []
    for rows in _strips(len(truth)):
        if np.array_equal(prediction[rows], truth[rows]):
            continue
        connected = level[rows] / 10
        apart = _above(prediction[rows], connected)
        apart -= _above(truth[rows], connected)
        if unknown is not None:
            apart *= unknown[rows]
        total.append(cv2.norm(apart, cv2.NORM_L1))
    return math.fsum(total) / SCALE


def _above(matte: Matte, connected: Matte) -> Matte:
    """How far alpha lies above the level up to which its pixel is connected; less than 0.15 is nothing."""
    # OpenCV keeps what lies above its threshold, so that it is given the number before θ.
    kept = cv2.threshold(matte - connected, np.nextafter(CONNECTIVITY_THETA, 0), 0, cv2.THRESH_TOZERO)[1]
    return np.asarray(kept, dtype=np.float64)


def _filters() -> tuple[Matte, Matte]:
    """Gaussian and its derivative, float64 (9,); their outer product has a sum of squares of 1."""
    at = np.arange(-_REACH, _REACH + 1, dtype=np.float64)
    smooth = np.exp(-at * at / (2 * GRADIENT_SIGMA**2))
    slope = at * smooth
    return smooth / np.sqrt(np.square(smooth).sum()), slope / np.sqrt(np.square(slope).sum())


def _stretch(matte: Matte) -> float:
    """By what a matte's gradients are multiplied when it is stretched to 0 to 1."""
    span = float(matte.max()) - float(matte.min())
    return 1 / span if span else 0.0


def _strips(height: int) -> Iterator[slice]:
    """All rows, some at a time."""
    return (slice(start, min(start + _ROWS, height)) for start in range(0, height, _ROWS))


def _columns(width: int, differs: Unknown | None) -> Iterator[slice]:
    """The columns of a strip whose gradients may differ. ``differs``: where the mattes do, in all that is seen."""
    if differs is None:
        yield slice(0, width)
        return
    (found,) = np.nonzero(differs.any(axis=0))
    if found.size:
        # A gap of a few columns costs less than one more round.
        for group in np.split(found, np.nonzero(np.diff(found) > 8 * _REACH)[0] + 1):
            yield slice(max(0, int(group[0]) - 2 * _REACH), min(width, int(group[-1]) + 1))


def _inside(filtered: cv2.typing.MatLike) -> Matte:
    """Without the margin that the filter needed."""
    return np.asarray(filtered[_REACH:-_REACH, _REACH:-_REACH], dtype=np.float64)
