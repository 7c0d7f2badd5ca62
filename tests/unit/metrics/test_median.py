"""The running median is SciPy's."""

import numpy as np
import pytest
import scipy.signal

from penstock.metrics.median import median_filter


@pytest.mark.parametrize("width", [3, 9, 13])
def test_median_filter_is_scipys(width):
    values = np.random.default_rng(0).normal(size=40)
    assert median_filter(values, width) == pytest.approx(scipy.signal.medfilt(values, width))
    assert median_filter(values[:4], width).shape == (4,)
    assert median_filter(np.ones(1), width) == pytest.approx([1])
