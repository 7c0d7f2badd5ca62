"""What the evaluations of salient-object and dichotomous segmentation print of a matte, as BiRefNet's does: S-measure,
weighted F-measure, mean E-measure and mean boundary accuracy.

All compare a grey answer with the truth's mask: alpha above 128 of 255. The answer is taken as it is. BiRefNet first
stretches each answer so that its least value is 0 and its greatest 1 (not for MBA), which hides that a model never
reaches either; ``min_max=True`` does that too, for comparison with published numbers.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.metrics.matte_arrays import Matte, check_pair

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Distances = npt.NDArray[np.float32]

FOREGROUND_ABOVE = 128 / 255
"""A pixel of the truth above this alpha is foreground."""
_LEAST = float(np.spacing(1))
"""Added to denominators, as MATLAB's ``eps`` in the definitions."""
_LEVELS = 256
_BANDS = 5
_REACH = 4
"""A pixel at most three rows and columns from the foreground has its nearest foreground pixel at most so far away."""
_STEPS = {
    length: [
        (dx, dy)
        for dx in range(-_REACH, _REACH + 1)
        for dy in range(-_REACH, _REACH + 1)
        if dx * dx + dy * dy == length
    ]
    for length in (1, 2, 4, 5, 8, 9, 10, 13, 16, 17, 18)
}
"""Squared distance → the steps of that length, in the order in which they are preferred."""
_FAR = 150.0
"""Beyond so many pixels, an error's weight is 2 to nine digits."""


def s_measure(prediction: Matte, truth: Matte, *, min_max: bool = False) -> float:
    """S-measure: how alike the two are in structure, half by object and half by region; higher is better.

    Source: Fan et al., "Structure-measure: a new way to evaluate foreground maps" (ICCV 2017), α = 0.5; equal to
    PySODMetrics 1.6 (which BiRefNet's evaluation takes over). Of an empty truth it is 1 minus the answer's mean, of a
    full one the mean. Where the definition has no value it is 0, as in both: a truth of one pixel or of all but one (no
    spread), one whose centre lies in the last row or column (a region without pixels).

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: float64 (H, W), 0 to 1.
        min_max: stretch the answer to 0 to 1 first.

    Returns:
        0 to 1.

    Raises:
        UsageError: the two differ in size, or hold no pixel.

    Example:
        >>> truth = np.zeros((64, 64))
        >>> truth[16:48, 16:48] = 1.0
        >>> round(s_measure(truth, truth), 6), round(s_measure(1 - truth, truth), 6)
        (1.0, 0.0)
    """
    answer, mask = _prepared(prediction, truth, min_max=min_max)
    share = float(mask.mean())
    if share in (0.0, 1.0):
        mean = float(answer.mean())
        return mean if share else 1.0 - mean
    by_object = share * _likeness(answer[mask]) + (1.0 - share) * _likeness(1.0 - answer[~mask])
    value = 0.5 * by_object + 0.5 * _by_region(answer, mask)
    return max(0.0, value)


def weighted_f(prediction: Matte, truth: Matte, *, min_max: bool = False) -> float:
    """Weighted F-measure: errors count less beside an edge that is otherwise right, more far from it; higher is better.

    Source: Margolin et al., "How to evaluate foreground maps?" (CVPR 2014), β = 1; equal to PySODMetrics 1.6. An empty
    truth scores 0, whatever the answer.

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: float64 (H, W), 0 to 1.
        min_max: stretch the answer to 0 to 1 first.

    Returns:
        0 to 1.

    Raises:
        UsageError: the two differ in size, or hold no pixel.

    Example:
        >>> truth = np.zeros((64, 64))
        >>> truth[16:48, 16:48] = 1.0
        >>> round(weighted_f(truth, truth), 6), round(weighted_f(np.full((64, 64), 0.5), truth), 6)
        (1.0, 0.248612)
    """
    answer, mask = _prepared(prediction, truth, min_max=min_max)
    inside = int(np.count_nonzero(mask))
    if not inside:
        return 0.0
    error = np.abs(answer - mask)
    background = 1 - mask.view(np.uint8)
    distance = np.asarray(cv2.distanceTransform(background, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    smooth = cv2.sepFilter2D(_spread(error, mask, distance), -1, _GAUSS, _GAUSS, borderType=cv2.BORDER_CONSTANT)
    missed = float(np.minimum(error, smooth)[mask].sum())
    outside = ~mask
    surplus = float((error[outside] * _WEIGHTS.take(_squared(np.minimum(distance[outside], _FAR)), mode="clip")).sum())
    found = inside - missed
    recall = 1.0 - missed / inside
    precision = found / (found + surplus + _LEAST)
    return 2.0 * recall * precision / (recall + precision + _LEAST)


def e_measure(prediction: Matte, truth: Matte, *, min_max: bool = False) -> float:
    """Mean enhanced-alignment measure: how the answer, cut at each of 256 levels, agrees with the truth, pixel by pixel
    beside what two masks of those sizes have in common anyway; higher is better.

    Source: Fan et al., "Enhanced-alignment measure for binary foreground map evaluation" (IJCAI 2018); the mean of
    PySODMetrics 1.6's curve, which BiRefNet prints as mean Em. The levels are the answer's, rounded down to 8 bits.

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: float64 (H, W), 0 to 1.
        min_max: stretch the answer to 0 to 1 first.

    Returns:
        0 to 1; up to n ÷ (n - 1) of n pixels, by which the definition divides.

    Raises:
        UsageError: the two differ in size, or hold fewer than two pixels.

    Example:
        >>> truth = np.zeros((64, 64))
        >>> truth[16:48, 16:48] = 1.0
        >>> round(e_measure(truth, truth), 4), round(e_measure(1 - truth, truth), 4)
        (0.9973, 0.001)
    """
    answer, mask = _prepared(prediction, truth, min_max=min_max)
    pixels = mask.size
    if pixels < 2:
        raise UsageError("the E-measure divides by the number of pixels less one, and the image is one pixel")
    levels = (answer * (_LEVELS - 1)).astype(np.uint8).astype(np.uint16)
    levels += mask.view(np.uint8) * np.uint16(_LEVELS)
    counts = np.bincount(levels.ravel(), minlength=2 * _LEVELS).reshape(2, _LEVELS)[:, ::-1].cumsum(axis=1)
    surplus, agreed = counts.astype(np.float64)
    found = surplus + agreed
    wanted = int(np.count_nonzero(mask))
    if wanted in (0, pixels):
        aligned = found if wanted else pixels - found
    else:
        share, target = found / pixels, wanted / pixels
        parts = (
            (agreed, 1.0 - share, 1.0 - target),
            (surplus, 1.0 - share, -target),
            (wanted - agreed, -share, 1.0 - target),
            (pixels - found - wanted + agreed, -share, -target),
        )
        aligned = sum(count * (2.0 * a * b / (a * a + b * b + _LEAST) + 1.0) ** 2 / 4.0 for count, a, b in parts)
    return float(np.mean(aligned / (pixels - 1 + _LEAST)))


def mba(prediction: Matte, truth: Matte) -> float:
    """Mean boundary accuracy: the share of pixels that are right in five bands about the truth's contour, averaged over
    the bands; higher is better.

    Source: Cheng et al., "CascadePSP" (CVPR 2020), with the radii of BiRefNet's evaluation: they grow from 1 in five
    steps towards (H + W) ÷ 300, rounded down (1, 2, 3, 4, 5 at 1024 × 1024; always 1 up to 150 × 150). A band is what
    dilation and erosion of the truth's mask by OpenCV's ellipse differ in; the frame is no contour. Both masks are
    alpha above 128 of 255, and no answer is stretched.

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: float64 (H, W), 0 to 1.

    Returns:
        0 to 1.

    Raises:
        UsageError: the two differ in size, hold no pixel, or the truth is empty or full: there is no contour.

    Example:
        >>> truth = np.zeros((64, 64))
        >>> truth[16:48, 16:48] = 1.0
        >>> mba(truth, truth), mba(np.roll(truth, 1, axis=1), truth)
        (1.0, 0.746031746031746)
    """
    check_pair(prediction, truth)
    mask = is_foreground(truth).view(np.uint8)
    if not mask.any() or mask.all():
        raise UsageError(f"the truth is {'full' if mask.any() else 'empty'}: it has no contour about which to measure")
    right = cv2.compare(is_foreground(prediction).view(np.uint8), mask, cv2.CMP_EQ)
    height, width = mask.shape
    accuracies = []
    for step in range(_BANDS):
        radius = 1 + int(((height + width) / 300 - 1) / _BANDS * step)
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
        band = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, ellipse)
        accuracies.append(cv2.countNonZero(cv2.bitwise_and(right, right, mask=band)) / cv2.countNonZero(band))
    return sum(accuracies) / _BANDS


def is_foreground(matte: Matte) -> Mask:
    """Alpha above 128 of 255.

    Example:
        >>> is_foreground(np.array([[0.0, 128 / 255, 129 / 255]])).tolist()
        [[False, False, True]]
    """
    return np.asarray(matte > FOREGROUND_ABOVE)


def _prepared(prediction: Matte, truth: Matte, *, min_max: bool) -> tuple[Matte, Mask]:
    """The answer, stretched if that is asked for, and the truth's mask."""
    check_pair(prediction, truth)
    if min_max:
        least, most = float(prediction.min()), float(prediction.max())
        if most > least:
            prediction = (prediction - least) / (most - least)
    # In one order, so that sums are rounded alike however the arrays lie in memory.
    return np.ascontiguousarray(prediction), np.ascontiguousarray(is_foreground(truth))


def _likeness(values: Floats) -> float:
    """The object's half of the S-measure: of the values where the mask is, near 1 and even is good."""
    if values.size < 2:
        return np.nan
    mean = float(values.mean())
    return 2.0 * mean / (mean * mean + 1.0 + float(values.std(ddof=1)) + _LEAST)


def _by_region(answer: Matte, mask: Mask) -> float:
    """The region's half of the S-measure: likeness of the four parts about the mask's centre, weighted by size."""
    height, width = mask.shape
    rows, columns = np.count_nonzero(mask, axis=1), np.count_nonzero(mask, axis=0)
    total = int(rows.sum())
    y = int(np.round(rows @ np.arange(height) / total)) + 1
    x = int(np.round(columns @ np.arange(width) / total)) + 1
    value = 0.0
    for part in np.s_[:y, :x], np.s_[:y, x:], np.s_[y:, :x], np.s_[y:, x:]:
        value += _part(answer[part], mask[part]) * (mask[part].size / mask.size)
    return value


def _part(answer: Matte, mask: Mask) -> float:
    """Likeness of one part: its means and spreads, without the constants that SSIM has."""
    if mask.size < 2:
        return np.nan
    mean, share = float(answer.mean()), float(mask.mean())
    off, apart = answer - mean, mask - share
    freedom = mask.size - 1
    together = 4.0 * mean * share * (float((off * apart).sum()) / freedom)
    most = (mean * mean + share * share) * (float((off * off).sum()) / freedom + float((apart * apart).sum()) / freedom)
    if together:
        return together / (most + _LEAST)
    return 0.0 if most else 1.0


def _spread(error: Floats, mask: Mask, distance: Distances) -> Floats:
    """The error; in the background that the smoothing reaches, that of the nearest foreground pixel instead, of several
    the leftmost, then the topmost, as ``scipy.ndimage.distance_transform_edt`` chooses.
    """
    height, width = mask.shape
    stride = width + 2 * _REACH
    inside = np.zeros((height + 2 * _REACH, stride), np.bool_)
    inside[_REACH:-_REACH, _REACH:-_REACH] = mask
    spread = np.where(mask, error, 0.0)
    near = np.flatnonzero((distance > 0) & (distance <= _REACH + 0.5))
    squared = _squared(distance.ravel().take(near))
    for length, steps in _STEPS.items():
        here = near[squared == length]
        padded = here + 2 * _REACH * (here // width) + _REACH * (stride + 1)
        for dx, dy in steps:
            hit = inside.ravel().take(padded + (dy * stride + dx))
            from_here = here[hit]
            spread.flat[from_here] = error.ravel().take(from_here + (dy * width + dx))
            here, padded = here[~hit], padded[~hit]
    return spread


def _squared(distance: Distances) -> npt.NDArray[np.int32]:
    """Squared distances between pixels: they are whole numbers."""
    return np.rint(np.square(distance)).astype(np.int32)


_GAUSS = np.exp(-np.square(np.arange(-3.0, 4.0)) / 50.0)
_GAUSS /= _GAUSS.sum()
"""Seven pixels, σ 5."""
_WEIGHTS = 2.0 - np.exp2(-np.sqrt(np.arange(_FAR * _FAR)) / 5.0)
"""Weight of an error by its squared distance to the foreground."""
