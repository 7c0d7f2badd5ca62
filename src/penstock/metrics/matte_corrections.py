"""How many clicks it would take a person to correct an answer: HCE."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from penstock.metrics.matte_arrays import Bits, Matte, check_pair
from penstock.metrics.matte_structure import is_foreground
from penstock.metrics.skeleton import skeleton

Points = npt.NDArray[np.int32]

RELAX = 5
"""Pixels by which an edge may be off before it counts."""
TOLERANCE = 2.0
"""Pixels by which the polygon that a person draws may leave the edge."""
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)


def hce(prediction: Matte, truth: Matte) -> float:
    """Human correction effort: points to click and regions to pick until the answer's mask is the truth's; lower is
    better.

    Source: Qin et al., "Highly Accurate Dichotomous Image Segmentation" (ECCV 2022), with a relaxation of 5 pixels and
    a polygon tolerance of 2; equal to PySODMetrics 1.6 with ``normalize=False``. Wrong regions that no erosion of the
    union by 5 pixels reaches do not count, but of what is missing the truth's skeleton always does, so that a lost hair
    costs. The contours of what is left are cut where they border on nothing that needs a decision, and each piece costs
    the points of its polygon; a region that borders on nothing costs one.

    The masks are alpha above 0.5 for the answer and above 128 of 255 for the truth. BiRefNet's evaluation takes 128 of
    255 for both: there a pixel of an 8-bit answer that is exactly 128 is background, here and in PySODMetrics not.

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: float64 (H, W), 0 to 1.

    Returns:
        A whole number ≥ 0. It grows with the image: compare it only for the same case at the same size.

    Raises:
        UsageError: the two differ in size, or hold no pixel.

    Example:
        >>> truth = np.zeros((64, 64))
        >>> truth[16:48, 16:48] = 1.0
        >>> hole = truth.copy()
        >>> hole[24:40, 24:40] = 0.0
        >>> hce(truth, truth), hce(hole, truth), hce(1 - truth, truth)
        (0.0, 1.0, 6.0)
    """
    check_pair(prediction, truth)
    wanted: Bits = is_foreground(truth).view(np.uint8)
    found: Bits = np.greater(prediction, 0.5).view(np.uint8)
    agreed = wanted & found
    surplus, missing = found ^ agreed, wanted ^ agreed
    core = np.asarray(cv2.erode(wanted | found, _CROSS, iterations=RELAX), np.uint8)
    lost = missing & skeleton(wanted.view(np.bool_)).view(np.uint8) if missing.any() else missing
    surplus, missing = _regrown(surplus, core, wanted), _regrown(missing, core, found) | lost
    to_remove = _effort(surplus, agreed | missing)
    to_add = _effort(missing, 1 - (agreed | surplus | missing))
    return float(to_remove + to_add)


def _regrown(wrong: Bits, core: Bits, barred: Bits) -> Bits:
    """The wrong pixels that are in the core, or within 5 steps of such a one without going over barred ground."""
    grown = wrong & core
    allowed: Bits = np.bitwise_xor(barred, 1, dtype=np.uint8)
    for _ in range(RELAX):
        grown = np.asarray(cv2.dilate(grown, _CROSS), np.uint8) & allowed
    return wrong & grown


def _effort(regions: Bits, beside: Bits) -> int:
    """Points of the polygons along which the regions' contours border on ``beside``, and one for each region that does
    not.
    """
    contours, _ = cv2.findContours(regions, cv2.RETR_TREE, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return 0
    count, labels = cv2.connectedComponents(regions, connectivity=8)
    near = cv2.dilate(beside, _CROSS)
    points = np.concatenate(contours)[:, 0, :].astype(np.int32)
    at = points[:, 1].astype(np.intp) * regions.shape[1] + points[:, 0]
    # A pixel counts where a contour first passes it (NumPy keeps the last of several values, so from the end).
    first = np.empty(regions.size, np.int32)
    number = np.arange(at.size, dtype=np.int32)
    first[at[::-1]] = number[::-1]
    counts = (near.ravel().take(at) != 0) & (first.take(at) == number)
    bordering = np.unique(labels.ravel().take(at[counts])).size
    ends = np.cumsum([len(contour) for contour in contours])
    points_to_click = sum(_clicks(piece) for piece in _pieces(points, counts, ends))
    return points_to_click + (count - 1 - bordering)


def _pieces(points: Points, counts: npt.NDArray[np.bool_], ends: npt.NDArray[np.int_]) -> list[Points]:
    """The maximal runs of points that count along each contour; where a contour's last run ends beside the beginning
    of its first, the two are one (the first turned round and put behind the last, as the reference does it).
    """
    breaks = np.zeros(len(points) + 1, bool)
    breaks[0] = breaks[ends] = True
    padded = np.concatenate(([False], counts, [False]))
    starts = np.flatnonzero(counts & (breaks[:-1] | ~padded[:-2]))
    stops = np.flatnonzero(counts & (breaks[1:] | ~padded[2:])) + 1
    runs = [points[start:stop] for start, stop in zip(starts, stops, strict=True)]
    pieces: list[Points] = []
    of_contour = np.searchsorted(starts, [0, *ends])
    for begin, end in pairwise(of_contour):
        mine = runs[begin:end]
        if len(mine) > 1 and np.abs(mine[0][0] - mine[-1][-1]).max() == 1:
            mine = [*mine[1:-1], np.concatenate((mine[-1], mine[0][::-1]))]
        pieces.extend(mine)
    return pieces


def _clicks(piece: Points) -> int:
    """Points of the polygon that stays within the tolerance."""
    if len(piece) < 2:
        return len(piece)
    return len(cv2.approxPolyDP(piece[:, None, :], TOLERANCE, closed=False))
