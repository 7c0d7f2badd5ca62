"""The first set: the single functions' values, together."""

import cv2
import numpy as np
import pytest
from tests.unit.metrics.drawn_mattes import NAMES, drawn

from penstock.metrics.matte import matte_scores
from penstock.metrics.matte_edges import boundary_iou, hausdorff, iou, usable_edge
from penstock.metrics.matte_errors import conn, grad, mae, mse, sad


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("whole", [False, True])
def test_the_single_functions_values(name, whole):
    prediction, truth, trimap = drawn(name)
    prediction, truth, unknown = prediction / 255, truth / 255, None if whole else trimap == 128
    found = matte_scores(prediction, truth, unknown=unknown)
    for error in (mae, mse, sad, grad, conn):
        assert getattr(found, error.__name__) == error(prediction, truth, unknown)
    edges = usable_edge(prediction, truth)
    distances = hausdorff(prediction, truth)
    assert (found.iou, found.boundary_iou) == (iou(prediction, truth), boundary_iou(prediction, truth))
    assert (found.hd95, found.hd100) == (distances.hd95, distances.hd100)
    assert (found.uea, found.spurious) == (edges.uea, edges.spurious)


def test_reasons_in_the_place_of_values():
    square = np.zeros((40, 40))
    square[10:30, 10:30] = 1
    found = matte_scores(np.zeros((40, 40)), square)
    assert found.hd95 == found.hd100 == "the prediction is empty: it has no edge"
    assert (found.uea, found.spurious, found.iou, found.boundary_iou) == (0, 0, 0, 0)
    found = matte_scores(square, np.ones((40, 40)))
    assert found.hd95 == found.uea == "the ground truth is full: it has no edge"
    assert found.spurious == 1


def test_neither_threads_nor_layout_change_a_value():
    """Nor is an argument written to."""
    prediction, truth, _ = drawn("soft")
    prediction, truth = (np.kron(matte, np.ones((5, 5))) / 255 for matte in (prediction, truth))
    for matte in (prediction, truth):
        matte.setflags(write=False)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = matte_scores(prediction, truth)
        cv2.setNumThreads(4)
        assert matte_scores(prediction, truth) == one
    finally:
        cv2.setNumThreads(before)
    assert matte_scores(np.asfortranarray(prediction), truth) == one
    assert matte_scores(prediction[::-1][::-1], np.pad(truth, 3)[3:-3, 3:-3]) == one
