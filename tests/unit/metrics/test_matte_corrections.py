"""HCE: PySODMetrics 1.6 gave the numbers (``normalize=False``)."""

import numpy as np
import pytest
from tests.unit.metrics.strand_mattes import NAMES, pair

from penstock.foundation.errors import UsageError
from penstock.metrics.matte_corrections import hce

PYSODMETRICS = {"hair": 32, "shifted": 0, "noise": 0, "parts": 15, "pale": 0, "cut": 0, "torn": 85}


def square(begin=16, end=48):
    matte = np.zeros((64, 64))
    matte[begin:end, begin:end] = 1.0
    return matte


@pytest.mark.parametrize("name", NAMES)
def test_it_is_pysodmetrics(name):
    answer, truth = pair(name)
    assert hce(answer / 255, truth / 255) == PYSODMETRICS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_arrays_strides_make_no_difference(name):
    answer, truth = (levels / 255 for levels in pair(name))
    assert hce(np.asfortranarray(answer), np.asfortranarray(truth)) == hce(answer, truth)


def test_an_edge_may_be_off_by_a_little():
    assert hce(square(), square()) == 0
    assert hce(np.roll(square(), 3, axis=1), square()) == 0
    # Of a square that lies 14 pixels off, the strip too many and the strip too few are drawn anew.
    assert hce(np.roll(square(), 14, axis=1), square()) == 9


def test_a_region_that_borders_on_nothing_is_one_click():
    hole = square()
    hole[24:40, 24:40] = 0.0
    assert hce(hole, square()) == 1
    blob = square(4, 24)
    apart = blob + np.roll(blob, (32, 32), axis=(0, 1))
    assert hce(apart, blob) == 1
    assert hce(np.zeros((64, 64)), square()) == 9
    assert hce(np.zeros((64, 64)), np.zeros((64, 64))) == 0


def test_a_lost_hair_counts_and_a_hair_too_many_does_not():
    body, hairy = square(), square()
    hairy[2:16, 30] = 1.0
    assert hce(body, hairy) > 0
    assert hce(hairy, body) == 0


def test_an_answer_of_exactly_128_is_foreground_a_truth_is_not():
    half = square() * 128 / 255
    assert hce(half, square()) == 0
    assert hce(square(), half) == hce(square(), np.zeros((64, 64)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
def test_images_of_one_row_or_pixel(shape):
    assert hce(np.ones(shape), np.ones(shape)) == 0
    assert hce(np.ones(shape), np.zeros(shape)) == 1


def test_sizes_must_agree():
    with pytest.raises(UsageError):
        hce(np.zeros((8, 9)), np.zeros((9, 8)))
