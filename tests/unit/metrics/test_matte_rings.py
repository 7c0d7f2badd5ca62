"""The walk along the rings, against one that follows the cracks between foreground and background."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from penstock.metrics.matte_arrays import shape_of
from penstock.metrics.matte_rings import LEAST_RUN, walk

TURNS = [(0, 1), (1, 0), (0, -1), (-1, 0)]
"""East, south, west, north."""


def rings_by_cracks(mask):
    """Each ring as the foreground pixels beside the cracks of one boundary, foreground on the left hand."""
    height, width = mask.shape
    inside = np.pad(mask, 1)
    open_cracks = set()
    for row in range(1, height + 1):
        for column in range(1, width + 1):
            for heading in range(4):
                # Heading east, the background lies to the south.
                beside = TURNS[(heading + 1) % 4]
                if inside[row, column] and not inside[row + beside[0], column + beside[1]]:
                    open_cracks.add((row, column, heading))
    rings = []
    while open_cracks:
        at = start = min(open_cracks)
        pixels = []
        while True:
            open_cracks.discard(at)
            row, column, heading = at
            pixels.append((row - 1, column - 1))
            ahead, beside = TURNS[heading], TURNS[(heading + 1) % 4]
            left = (row + ahead[0], column + ahead[1])
            right = (left[0] + beside[0], left[1] + beside[1])
            if inside[right]:  # diagonal neighbours are connected
                at = (*right, (heading + 1) % 4)
            elif inside[left]:
                at = (*left, heading)
            else:
                at = (row, column, (heading - 1) % 4)
            if at == start:
                break
        ring = [pixel for n, pixel in enumerate(pixels) if pixel != pixels[n - 1]] or pixels[:1]
        rings.append(ring)
    return rings


def by_hand(mask, near):
    """Length that counts and length of all rings, point by point."""
    inside = np.pad(mask, 1, constant_values=True)
    counted = total = 0.0
    for ring in rings_by_cracks(mask):
        state = []
        for row, column in ring:
            on_edge = any(not inside[row + 1 + down, column + 1 + right] for down, right in TURNS)
            state.append((1 + int(near[row, column])) if on_edge else 0)
        steps = [math.dist(ring[n - 1], ring[n]) for n in range(len(ring))]  # to the point before
        total += sum(step for n, step in enumerate(steps) if state[n - 1] and state[n])
        whole = 1 not in state
        if whole:
            counted += sum(step for n, step in enumerate(steps) if state[n - 1] == state[n] == 2)
            continue
        start = state.index(1)
        length = 0.0
        for n in range(start + 1, start + len(ring) + 1):
            if state[n % len(ring)] != 2:
                counted += length if length >= LEAST_RUN else 0.0
                length = 0.0
            elif state[n % len(ring) - 1] == 2:
                length += steps[n % len(ring)]
    return counted, total


def blobs(seed, shape, smooth):
    random = np.random.default_rng(seed)
    field = random.normal(size=shape)
    for _ in range(smooth):
        field = (field + np.roll(field, 1, 0) + np.roll(field, 1, 1) + np.roll(field, (1, 1), (0, 1))) / 4
    return field > 0.02


@pytest.mark.slow
@given(arrays.arrays(np.bool_, st.tuples(st.integers(2, 9), st.integers(2, 9))), st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_small_shapes(mask, random):
    if mask.all() or not mask.any():
        return
    near = np.array([[random.random() < 0.7 for _ in row] for row in mask])
    found = walk(shape_of(mask * 1.0), near.view(np.uint8))
    counted, total = by_hand(mask, near)
    assert found.all_straight + math.sqrt(2) * found.all_diagonal == pytest.approx(total)
    if total:
        assert found.usable_share == pytest.approx(counted / total)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("smooth", [2, 6, 20])
def test_large_shapes(seed, smooth):
    mask = blobs(seed, (90, 110), smooth)
    near = ~blobs(seed + 100, mask.shape, 12) | (np.indices(mask.shape)[0] < 40)
    found = walk(shape_of(mask * 1.0), near.view(np.uint8))
    counted, total = by_hand(mask, near)
    assert found.all_straight + math.sqrt(2) * found.all_diagonal == pytest.approx(total)
    assert found.usable_share == pytest.approx(counted / total)
    assert 0 < counted < total or smooth == 2


def test_stretches_are_the_whole_edge():
    mask = blobs(3, (90, 110), 12)
    near = blobs(4, mask.shape, 12)
    shape = shape_of(mask * 1.0)
    runs = walk(shape, near.view(np.uint8)).runs()
    seen = np.zeros(mask.shape, bool)
    for run in runs:
        columns, rows = run.points.T
        seen[rows, columns] = True
        assert (near[rows, columns] == run.usable).all()
        assert not run.counts or run.usable
        steps = np.abs(np.diff(run.points, axis=0)).max(axis=1)
        assert (steps == 1).all() or run.points.tolist() == run.points[:1].tolist() * 2, "a single pixel"
        assert run.length == pytest.approx(np.hypot(*np.diff(run.points, axis=0).T).sum())
    assert np.array_equal(seen, shape.edge.astype(bool))


def test_a_run_of_exactly_fifty_counts():
    mask = np.zeros((20, 100))
    mask[10:, :] = 1
    for length, counts in ((50, True), (49, False)):
        near = np.zeros(mask.shape, np.uint8)
        near[:, 20 : 21 + length] = 1
        found = walk(shape_of(mask), near)
        assert [(run.counts, run.length) for run in found.runs() if run.usable] == [(counts, length)]
        assert found.usable_share == pytest.approx(counts * length / 99)


def test_a_ring_round_a_hole_is_walked_too():
    mask = np.ones((30, 30))
    mask[10:20, 10:20] = 0
    found = walk(shape_of(mask), np.ones(mask.shape, np.uint8))
    assert [run.length for run in found.runs()] == [pytest.approx(36 + 4 * math.sqrt(2))]
    first, last = found.runs()[0].points[[0, -1]].tolist()
    assert first == last
