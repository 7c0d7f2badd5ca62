"""The largest connected regions, against SciPy's labels, threshold by threshold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from penstock.metrics import matte_connectivity
from penstock.metrics.matte_connectivity import connected_level, reached_level


def level_of(both):
    return connected_level(reached_level(both))


def level_by_labels(both):
    """The definition, word for word; components in the order of MATLAB's, column by column."""
    level = np.zeros(both.shape, int)
    alive = np.ones(both.shape, bool)
    for number in range(1, 11):
        labels, count = ndimage.label((both >= number / 10).T)
        largest = 1 + np.argmax(np.bincount(labels.ravel())[1:]) if count else -1
        alive &= labels.transpose() == largest
        level[alive] = number
    return level


SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 12))
VALUES = st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.6, 153 / 255, 0.95, 1.0])


@pytest.mark.slow
@given(st.data())
@settings(max_examples=120, deadline=None)
def test_as_scipy_labels(data):
    both = data.draw(arrays.arrays(np.float64, data.draw(SHAPES), elements=VALUES))
    assert level_of(both).tolist() == level_by_labels(both).tolist()


@pytest.mark.parametrize("most_fills", [1, 2, 16])
@pytest.mark.parametrize("share", [0.3, 0.55, 0.7])
def test_many_regions(monkeypatch, most_fills, share):
    """Of noise, which has many regions of one size: filled one by one, or labelled at once."""
    monkeypatch.setattr(matte_connectivity, "_MOST_FILLS", most_fills)
    random = np.random.default_rng(int(share * 100))
    both = random.random((60, 45)) ** 0.5 * (random.random((60, 45)) < share)
    assert np.array_equal(level_of(both), level_by_labels(both))


def test_a_region_that_is_largest_only_from_some_threshold_on():
    """The wide one holds up to 0.5; from then on the narrow one is the largest, and nothing is connected any more."""
    both = np.zeros((20, 40))
    both[2:18, 2:30] = 0.55
    both[2:18, 34:38] = 0.95
    level = level_of(both)
    assert (level[5, 10], level[5, 35], level[0, 0]) == (5, 0, 0)


def test_of_equal_regions_the_leftmost_then_the_topmost():
    both = np.zeros((9, 9))
    both[0, 4:8] = 1
    both[6:8, 2:4] = 1
    both[2:4, 2:4] = 1
    assert (level_of(both) == 10).sum() == 4
    assert level_of(both)[2, 2] == 10


def test_diagonal_neighbours_are_not_connected():
    assert level_of(np.eye(4))[0, 0] == 10
    assert level_of(np.eye(4)).sum() == 10


@pytest.mark.parametrize("number", range(1, 11))
def test_thresholds_are_the_numbers_nearest_to_tenths(number):
    """Multiplying keeps the order of numbers, so that these two decide for all."""
    assert reached_level(np.array([[number / 10, np.nextafter(number / 10, 0)]])).tolist() == [[number, number - 1]]


def test_no_level_of_8_or_16_bits_is_taken_for_another():
    for most in (255, 65_535):
        levels = np.arange(most + 1)
        assert reached_level(levels[None] / most)[0].tolist() == (levels * 10 // most).tolist()
