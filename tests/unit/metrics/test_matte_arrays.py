"""What is no pair of mattes, and what the edge of a matte is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from penstock.foundation.errors import UsageError
from penstock.metrics.matte import matte_scores
from penstock.metrics.matte_arrays import NoEdgeError, alike_without_edge, check_pair, require_edge, shape_of
from penstock.metrics.matte_edges import boundary_iou, hausdorff, iou, usable_edge
from penstock.metrics.matte_errors import conn, grad, mae, mse, sad

GOOD = np.zeros((4, 6))


@pytest.mark.parametrize(
    ("prediction", "truth", "unknown", "message"),
    [
        (np.zeros((4, 6), np.float32), GOOD, None, r"the prediction is float32 \(4, 6\), a matte is float64"),
        (GOOD, np.zeros((4, 6, 1)), None, r"the ground truth is float64 \(4, 6, 1\)"),
        (np.zeros((0, 6)), np.zeros((0, 6)), None, "the prediction is"),
        (GOOD, np.zeros((6, 4)), None, "the prediction is 6x4 pixels, the ground truth 4x6. Give mattes of one size"),
        (GOOD + 255, GOOD, None, "the prediction has values from 255 to 255, alpha is 0 to 1"),
        (GOOD, GOOD - 0.1, None, "the ground truth has values from -0.1"),
        (np.where(np.eye(4, 6), np.nan, GOOD), GOOD, None, "the prediction has values from nan"),
        (GOOD, GOOD, np.ones((4, 6)), "the unknown region is float64"),
        (GOOD, GOOD, np.ones((4, 5), bool), r"the unknown region is bool \(4, 5\), it must be bool \(4, 6\)"),
        (GOOD, GOOD, np.zeros((4, 6), bool), "the trimap has no unknown pixel. Mark .* with 128"),
    ],
)
def test_what_is_no_pair_is_refused(prediction, truth, unknown, message):
    for refusing in (check_pair, mae, mse, sad, grad, conn):
        with pytest.raises(UsageError, match=message):
            refusing(prediction, truth, unknown)
    with pytest.raises(UsageError, match=message):
        matte_scores(prediction, truth, unknown=unknown)
    if unknown is None:
        for refusing in (iou, boundary_iou, hausdorff, usable_edge):
            with pytest.raises(UsageError, match=message):
                refusing(prediction, truth)


@given(arrays.arrays(np.bool_, (9, 11)))
@settings(max_examples=30, deadline=None)
def test_edge_as_scipy_erodes(mask):
    shape = shape_of(mask * 0.5)
    inner = ndimage.binary_erosion(mask, border_value=1)
    assert np.array_equal(shape.mask, mask)
    assert np.array_equal(shape.edge, mask & ~inner)
    assert shape.has_edge == (mask.any() and not mask.all())


def test_just_below_half_is_background():
    assert not shape_of(np.full((3, 3), np.nextafter(0.5, 0))).mask.any()


def test_shapes_without_an_edge():
    empty, full, square = (shape_of(matte) for matte in (np.zeros((5, 5)), np.ones((5, 5)), np.eye(5)))
    assert alike_without_edge(empty, empty)
    assert alike_without_edge(full, full)
    assert not alike_without_edge(empty, square)
    with pytest.raises(NoEdgeError, match="the prediction is full and the ground truth empty: neither has an edge"):
        alike_without_edge(full, empty)
    require_edge(square, "the prediction")
    with pytest.raises(NoEdgeError, match="the ground truth is empty: it has no edge"):
        require_edge(empty, "the ground truth")
