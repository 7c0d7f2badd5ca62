"""Distances between edges, against SciPy's k-d tree."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from scipy.spatial import KDTree

from penstock.metrics import matte_distances
from penstock.metrics.matte_distances import nearest


def by_tree(start, end):
    return KDTree(np.argwhere(end)).query(np.argwhere(start))[0]


@pytest.mark.slow
@given(arrays.arrays(np.bool_, (2, 13, 17)))
@settings(max_examples=40, deadline=None)
def test_small(both):
    start, end = both.view(np.uint8)
    end[5, 5] = 1
    assert nearest(start, end).tolist() == pytest.approx(by_tree(start, end).tolist(), rel=1e-15)


@pytest.mark.parametrize("most_looks", [-1, 3_000, 1_000_000_000])
@pytest.mark.parametrize(("shape", "pixels"), [((300, 400), 1), ((300, 400), 40), ((700, 1500), 200), ((1, 4000), 3)])
def test_far(monkeypatch, most_looks, shape, pixels):
    """Row by row, by distance transform, or some by one and some by the other: the same roots of whole numbers."""
    monkeypatch.setattr(matte_distances, "_MOST_LOOKS", most_looks)
    random = np.random.default_rng(pixels)
    start, end = np.zeros((2, *shape), np.uint8)
    start.flat[random.choice(start.size, 300)] = 1
    end.flat[random.choice(end.size, pixels)] = 1
    found = nearest(start, end)
    assert np.abs(np.square(found) - np.rint(np.square(found))).max() < 1e-6
    assert found.tolist() == pytest.approx(by_tree(start, end).tolist(), rel=1e-14)
