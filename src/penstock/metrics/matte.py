"""The first set of values of an alpha matte, together: what they share is computed once."""

from __future__ import annotations

from dataclasses import dataclass

from penstock.metrics.matte_arrays import Matte, NoEdgeError, Unknown, check_pair, shape_of
from penstock.metrics.matte_edges import Hausdorff, band, edge_distances, overlap, spurious_share, walk_edge
from penstock.metrics.matte_errors import SCALE, connectivity_error, difference, gradient_error


@dataclass(frozen=True)
class MatteScores:
    """The values of one matte. A string stands in the place of a value, and says why there is none."""

    mae: float
    mse: float
    sad: float
    grad: float
    conn: float
    iou: float
    boundary_iou: float
    hd95: float | str
    hd100: float | str
    uea: float | str
    spurious: float


def matte_scores(prediction: Matte, truth: Matte, *, unknown: Unknown | None = None) -> MatteScores:
    """What the functions of ``matte_errors`` and ``matte_edges`` say of a matte, each by its own definition.

    Args:
        prediction: float64 (H, W), 0 to 1.
        truth: the same, of the same size.
        unknown: bool (H, W), the pixels of which ``mae``, ``mse``, ``sad``, ``grad`` and ``conn`` are; all, if there is
            none. The other values are of the whole matte.

    Raises:
        UsageError: what :func:`penstock.metrics.matte_arrays.check_pair` refuses.

    Example:
        >>> import numpy as np
        >>> truth = np.zeros((40, 40))
        >>> truth[10:30, 10:30] = 1
        >>> found = matte_scores(truth * 0.9, truth)
        >>> round(found.sad, 6), found.iou, found.hd95, found.uea
        (0.04, 1.0, 0.0, 1.0)
        >>> matte_scores(truth * 0.4, truth).hd95
        'the prediction is empty: it has no edge'
    """
    check_pair(prediction, truth, unknown)
    absolute, squared, count = difference(prediction, truth, unknown)
    answer, true = shape_of(prediction), shape_of(truth)
    distances: Hausdorff | str
    uea: float | str
    try:
        distances = edge_distances(answer, true)
    except NoEdgeError as error:
        distances = error.what
    try:
        walked = walk_edge(answer, true)
        uea = walked.usable_share if walked else 1.0
    except NoEdgeError as error:
        uea = error.what
    return MatteScores(
        mae=absolute / count,
        mse=squared / count,
        sad=absolute / SCALE,
        grad=gradient_error(prediction, truth, unknown),
        conn=connectivity_error(prediction, truth, unknown),
        iou=overlap(answer.mask, true.mask),
        boundary_iou=overlap(band(answer.mask), band(true.mask)),
        hd95=distances if isinstance(distances, str) else distances.hd95,
        hd100=distances if isinstance(distances, str) else distances.hd100,
        uea=uea,
        spurious=spurious_share(answer, true),
    )
