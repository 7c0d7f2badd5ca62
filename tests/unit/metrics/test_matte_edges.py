"""Edges of alpha mattes, against SciPy, and the stated behaviour of odd shapes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from scipy.spatial import KDTree
from tests.unit.metrics.drawn_mattes import drawn

from penstock.metrics.matte_arrays import NoEdgeError
from penstock.metrics.matte_edges import Hausdorff, boundary_iou, hausdorff, iou, usable_edge

EMPTY, FULL = np.zeros((60, 80)), np.ones((60, 80))
MASKS = arrays.arrays(np.bool_, (2, 15, 18))


def square(top=20, left=30, side=20):
    matte = np.zeros((60, 80))
    matte[top : top + side, left : left + side] = 1
    return matte


def pixel(row, column):
    matte = np.zeros((60, 80))
    matte[row, column] = 1
    return matte


def edge(mask):
    return mask & ~ndimage.binary_erosion(mask, border_value=1)


@given(MASKS)
@settings(max_examples=40, deadline=None)
def test_overlaps_as_scipy_erodes(masks):
    one, other = masks

    def band(mask, depth):
        return mask & ~ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=depth, border_value=0)

    def overlap(a, b):
        return (a & b).sum() / (a | b).sum() if (a | b).any() else 1.0

    assert iou(one * 0.7, other * 0.5) == pytest.approx(overlap(one, other))
    assert boundary_iou(one * 1.0, other * 1.0) == pytest.approx(overlap(band(one, 1), band(other, 1)))
    large_one, large_other = (np.kron(mask, np.ones((9, 9), bool)) for mask in (one, other))  # 135 × 162: 4.2, so 4
    expected = overlap(band(large_one, 4), band(large_other, 4))
    assert boundary_iou(large_one * 1.0, large_other * 1.0) == pytest.approx(expected)


@pytest.mark.slow
@given(MASKS)
@settings(max_examples=40, deadline=None)
def test_hausdorff_as_a_tree_finds_it(masks):
    one, other = masks
    one[4, 4], one[4, 5] = True, False
    other[9, 9], other[9, 10] = True, False
    both = [np.argwhere(edge(mask)) for mask in masks]
    distances = [KDTree(both[1]).query(both[0])[0], KDTree(both[0]).query(both[1])[0]]
    found = hausdorff(one * 1.0, other * 1.0)
    assert found.hd100 == pytest.approx(max(d.max() for d in distances))
    assert found.hd95 == pytest.approx(max(np.percentile(d, 95) for d in distances))
    assert hausdorff(other * 1.0, one * 1.0) == found


@pytest.mark.slow
@given(MASKS)
@settings(max_examples=40, deadline=None)
def test_equal_mattes_are_perfect(masks):
    matte = masks[0] * 1.0
    found = usable_edge(matte, matte)
    assert (found.uea, found.spurious) == (1, 0)
    assert all(run.usable and run.counts for run in found.runs)
    assert hausdorff(matte, matte) == Hausdorff(0, 0)
    assert (iou(matte, matte), boundary_iou(matte, matte)) == (1, 1)


@pytest.mark.slow
@given(MASKS)
@settings(max_examples=40, deadline=None)
def test_sides_and_mirrors(masks):
    one, other = masks * 1.0
    for value in (iou, boundary_iou):
        assert value(one, other) == value(other, one) == value(one[::-1], other[::-1]) == value(one.T, other.T)
    if 0 < one.mean() < 1 and 0 < other.mean() < 1:
        assert hausdorff(one, other) == hausdorff(one[:, ::-1], other[:, ::-1])
        found = usable_edge(one, other)
        for turned in (usable_edge(one.T, other.T), usable_edge(one[::-1], other[::-1])):
            assert turned.uea == pytest.approx(found.uea)
            assert turned.spurious == found.spurious


def test_known_distances():
    assert hausdorff(square(left=33), square()) == Hausdorff(3, 3)
    assert hausdorff(pixel(10, 10), pixel(13, 14)) == Hausdorff(5, 5)
    speck = square()
    speck[5, 5] = 1
    found = hausdorff(speck, square())
    assert found.hd95 == 0
    assert found.hd100 == pytest.approx(np.hypot(15, 25))


def test_the_frame_is_no_background_for_the_edge_but_for_the_band():
    half = np.zeros((60, 80))
    half[:, :40] = 1
    shifted = np.roll(half, 4, axis=1)
    shifted[:, :4] = 1
    assert hausdorff(half, shifted) == Hausdorff(4, 4)
    assert boundary_iou(FULL, np.where(square(), 0.0, 1.0)) < 1
    assert boundary_iou(FULL, FULL) == 1


@pytest.mark.parametrize("same", [EMPTY, FULL])
def test_both_empty_or_both_full(same):
    assert hausdorff(same, same) == Hausdorff(0, 0)
    found = usable_edge(same, same)
    assert (found.uea, found.spurious, found.runs) == (1, 0, ())
    assert (iou(same, same), boundary_iou(same, same)) == (1, 1)


@pytest.mark.parametrize(
    ("prediction", "truth", "reason"),
    [
        (EMPTY, square(), "the prediction is empty: it has no edge"),
        (FULL, square(), "the prediction is full: it has no edge"),
        (square(), EMPTY, "the ground truth is empty: it has no edge"),
        (square(), FULL, "the ground truth is full: it has no edge"),
        (EMPTY, FULL, "the prediction is empty and the ground truth full: neither has an edge"),
    ],
)
def test_there_is_no_distance_to_nothing(prediction, truth, reason):
    with pytest.raises(NoEdgeError, match=reason):
        hausdorff(prediction, truth)


def test_usable_edge_where_one_has_none():
    for answer in (EMPTY, FULL):
        found = usable_edge(answer, square())
        assert (found.uea, found.spurious) == (0, 0)
        assert [(run.usable, run.length) for run in found.runs] == [(False, 76)]
    for truth, filling in ((EMPTY, "empty"), (FULL, "full")):
        with pytest.raises(NoEdgeError, match=f"the ground truth is {filling}: it has no edge"):
            usable_edge(square(), truth)
    with pytest.raises(NoEdgeError, match="neither has an edge"):
        usable_edge(FULL, EMPTY)


@pytest.mark.parametrize(("moved", "uea"), [(0, 1), (2, 1), (3, 0)])
def test_single_pixel(moved, uea):
    """A ring without a length: usable or not."""
    found = usable_edge(pixel(20, 20 + moved), pixel(20, 20))
    assert (found.uea, found.spurious) == (uea, 1 - uea)
    assert (found.runs[0].points.tolist(), found.runs[0].length) == ([[20, 20], [20, 20]], 0)


def test_single_pixels_by_their_share():
    truth = sum(pixel(10, column) for column in (10, 30, 50, 70))
    assert usable_edge(pixel(10, 10), truth).uea == 0.25


def test_two_pixels_off_is_usable_and_three_is_not():
    assert usable_edge(square(left=32), square()).uea == 1
    found = usable_edge(square(left=33), square())
    assert found.uea == 0, "what fits at top and bottom is shorter than 50 px"
    assert found.spurious == pytest.approx((14 + 20) / 76)


def test_spurious_edge_is_seen_beside_a_perfect_one():
    answer = square()
    answer[2:6, 2:6] = 1
    found = usable_edge(answer, square())
    assert found.uea == 1
    assert found.spurious == pytest.approx(12 / (76 + 12))


def test_a_subject_cut_by_the_frame():
    """Its ring is open at the frame: 30 px of edge on each side, too short for a run, count as a whole ring does."""
    truth = np.zeros((60, 80))
    truth[:30, 20:60] = 1
    assert usable_edge(truth, truth).uea == 1
    corridor = np.zeros((30, 80))
    corridor[:, 20:60] = 1
    found = usable_edge(corridor, corridor)
    assert found.uea == 1
    assert [(run.length, run.counts) for run in found.runs] == [(29, True), (29, True)]
    one_side = corridor.copy()
    one_side[:, 60:] = 1
    found = usable_edge(one_side, corridor)
    assert found.uea == 0, "the ring has an error on its other side, and 29 px are less than 50"
    assert sorted((run.usable, run.counts) for run in found.runs) == [(False, False), (True, False)]


def test_the_walk_of_a_drawn_matte():
    prediction, truth, _ = (levels / 255 for levels in drawn("soft"))
    found = usable_edge(prediction, truth)
    assert 0 < found.uea < 1
    assert 0 < found.spurious < 1
    total = sum(run.length for run in found.runs if run.counts)
    assert all(run.counts or not run.usable or run.length < 50 for run in found.runs)
    assert total < sum(run.length for run in found.runs)
