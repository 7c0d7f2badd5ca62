"""How well the edge of an alpha matte fits: IoU, boundary IoU, Hausdorff distances, usable edge accuracy.

All look at the foreground, the pixels of alpha ≥ 0.5. Its edge pixels are those with one of their four neighbours in
the background; what lies beyond the frame is no background, so that a subject which is cut by the frame has no edge
there. Nothing is smoothed, filled or removed: a single pixel is a shape like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from penstock.metrics.matte_arrays import (
    Bits,
    Matte,
    Shape,
    alike_without_edge,
    check_pair,
    require_edge,
    shape_of,
)
from penstock.metrics.matte_distances import nearest
from penstock.metrics.matte_rings import EdgeRun, Walk, walk

BOUNDARY_SHARE = 0.02
"""How deep the band of boundary IoU is, of the image's diagonal."""
NEAR = 2
"""An edge pixel within so many pixels is near."""
_AT, _DOWN = np.mgrid[-NEAR : NEAR + 1, -NEAR : NEAR + 1]
_DISC = np.asarray(_AT**2 + _DOWN**2 <= NEAR**2, dtype=np.uint8)


@dataclass(frozen=True)
class Hausdorff:
    """Distances of two edges in pixels, each the larger of the two directions."""

    hd95: float
    """The 95th percentile of the distances from an edge pixel to the nearest one of the other edge."""
    hd100: float
    """The largest of them."""


@dataclass(frozen=True)
class UsableEdge:
    """How much of an edge can be used as it is."""

    uea: float
    """Share of the true edge's length that lies in error-free runs, 0 to 1; higher is better."""
    spurious: float
    """Share of the prediction's edge pixels that have no edge pixel of the truth near, 0 to 1; lower is better."""
    runs: tuple[EdgeRun, ...]
    """The true edge, ring by ring, as the stretches in which it is usable or broken."""


def iou(prediction: Matte, truth: Matte) -> float:
    """Intersection over union of the foregrounds, 0 to 1; 1 if both are empty.

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: the same, of the same size.

    Raises:
        UsageError: what :func:`penstock.metrics.matte_arrays.check_pair` refuses. So do all functions here.

    Example:
        >>> iou(np.array([[0.5, 1.0, 0.4]]), np.array([[0.0, 1.0, 0.4]]))
        0.5
    """
    check_pair(prediction, truth)
    return overlap(shape_of(prediction).mask, shape_of(truth).mask)


def boundary_iou(prediction: Matte, truth: Matte) -> float:
    """IoU of the bands along the inner side of the contours, 0 to 1; 1 if both are empty. Arguments as for :func:`iou`.

    A band is what d erosions by 3 × 3 pixels take from the foreground, d being 2 % of the image's diagonal, rounded to
    the nearest number, half to the even one, and at least 1. The frame is background here, as in the source: Cheng et
    al., "Boundary IoU" (CVPR 2021).

    Example:
        >>> truth = np.zeros((100, 100))
        >>> truth[30:70, 30:70] = 1
        >>> moved = np.roll(truth, 1, axis=1)
        >>> round(iou(moved, truth), 3), round(boundary_iou(moved, truth), 3)
        (0.951, 0.714)
    """
    check_pair(prediction, truth)
    return overlap(band(shape_of(prediction).mask), band(shape_of(truth).mask))


def hausdorff(prediction: Matte, truth: Matte) -> Hausdorff:
    """Hausdorff distances of the edges in pixels (Euclidean). Arguments as for :func:`iou`.

    The larger, of both directions, of the distances' maximum, and of their 95th percentile (linear between values). The
    maximum follows a single speck across the image: gate the percentile, and show the maximum. Two mattes that have no
    edge because both are empty, or both full, are at distance 0.

    Raises:
        NoEdgeError: just one matte has an edge, or one is empty and the other full.

    Example:
        >>> truth = np.zeros((100, 100))
        >>> truth[30:70, 30:70] = 1
        >>> speck = truth.copy()
        >>> speck[50, 90] = 1
        >>> hausdorff(np.roll(truth, 3, axis=0), truth), hausdorff(speck, truth)
        (Hausdorff(hd95=3.0, hd100=3.0), Hausdorff(hd95=0.0, hd100=21.0))
    """
    check_pair(prediction, truth)
    return edge_distances(shape_of(prediction), shape_of(truth))


def usable_edge(prediction: Matte, truth: Matte) -> UsableEdge:
    """Usable edge accuracy, with the spurious edge that it does not see. Arguments as for :func:`iou`.

    The edge of the truth is walked ring by ring (those around holes, too; 8-connected, every pixel). A point is usable
    if an edge pixel of the prediction lies within 2 pixels. Maximal runs of usable points count if they are at least
    50 pixels long, steps being 1 or √2; a ring that is usable all round counts whole, however short. Where the frame
    cuts the subject, points that are no edge pixels are left out, and the ring is open. ``uea`` is the length that
    counts divided by the length of all rings; if none has a length (single pixels), the share of usable points. It is
    blind to edge where there should be none: ``spurious`` is the share of the prediction's edge pixels with no edge
    pixel of the truth within 2 pixels, 0 if it has no edge.

    Equal mattes have 1 and 0, also those without an edge.

    Raises:
        NoEdgeError: the truth has no edge, and the prediction is not all empty or all full as it is.

    Example:
        >>> truth = np.zeros((200, 200))
        >>> truth[50:150, 50:150] = 1
        >>> found = usable_edge(np.where(np.indices(truth.shape)[0] < 100, truth, 0), truth)
        >>> round(found.uea, 3), round(found.spurious, 3), [(run.usable, run.length) for run in found.runs]
        (0.508, 0.318, [(False, 193.0), (True, 201.0)])
    """
    check_pair(prediction, truth)
    answer, true = shape_of(prediction), shape_of(truth)
    found = walk_edge(answer, true)
    return UsableEdge(found.usable_share if found else 1.0, spurious_share(answer, true), found.runs() if found else ())


def overlap(one: Bits, other: Bits) -> float:
    """Intersection over union of two masks, 1 if both are empty.

    Example:
        >>> overlap(np.array([[1, 1, 0]], np.uint8), np.array([[0, 1, 0]], np.uint8))
        0.5
    """
    union = cv2.countNonZero(cv2.bitwise_or(one, other))
    return cv2.countNonZero(cv2.bitwise_and(one, other)) / union if union else 1.0


def band(mask: Bits) -> Bits:
    """What of a mask lies within 2 % of the image's diagonal of its contour, or of the frame.

    Example:
        >>> band(np.ones((5, 5), np.uint8)).tolist()[2]
        [1, 0, 0, 0, 1]
    """
    depth = max(1, round(BOUNDARY_SHARE * float(np.hypot(*mask.shape))))
    side = 2 * depth + 1
    # A square of this side is as many erosions by 3 × 3.
    inner = cv2.erode(mask, np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(cv2.subtract(mask, np.asarray(inner)), dtype=np.uint8)


def edge_distances(answer: Shape, true: Shape) -> Hausdorff:
    """:func:`hausdorff` of shapes.

    Example:
        >>> edge_distances(shape_of(np.zeros((9, 9))), shape_of(np.zeros((9, 9))))
        Hausdorff(hd95=0.0, hd100=0.0)
    """
    if alike_without_edge(answer, true):
        return Hausdorff(0.0, 0.0)
    require_edge(answer, "the prediction")
    require_edge(true, "the ground truth")
    # Outside the box of all edge pixels nothing is measured, and nothing is nearest to anything.
    left, top, width, height = cv2.boundingRect(cv2.bitwise_or(answer.edge, true.edge))
    one, other = (shape.edge[top : top + height, left : left + width] for shape in (answer, true))
    both = (nearest(one, other), nearest(other, one))
    hd95 = max(float(np.percentile(distances, 95)) for distances in both)
    return Hausdorff(hd95, max(float(distances.max()) for distances in both))


def walk_edge(answer: Shape, true: Shape) -> Walk | None:
    """The walk along the true edge, each point with whether the answer's edge is near; ``None`` if there is nothing to
    walk along, nor should there be.

    Raises:
        NoEdgeError: the truth has no edge, and the answer is not all empty or all full as it is.

    Example:
        >>> walk_edge(shape_of(np.zeros((9, 9))), shape_of(np.zeros((9, 9)))) is None
        True
    """
    if alike_without_edge(answer, true):
        return None
    require_edge(true, "the ground truth")
    return walk(true, _near(answer.edge))


def spurious_share(answer: Shape, true: Shape) -> float:
    """Share of the answer's edge pixels with no true edge pixel within 2 px.

    Example:
        >>> spurious_share(shape_of(np.eye(9)), shape_of(np.zeros((9, 9))))
        1.0
    """
    pixels = cv2.countNonZero(answer.edge)
    alone = cv2.countNonZero(cv2.subtract(answer.edge, _near(true.edge)))
    return alone / pixels if pixels else 0.0


def _near(edge: Bits) -> Bits:
    """The pixels that have an edge pixel within 2 px."""
    return np.asarray(cv2.dilate(edge, _DISC), dtype=np.uint8)
