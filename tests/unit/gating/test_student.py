"""Student's t against SciPy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special

from penstock.gating.student import distribution, quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 18, 30])
def test_students_t_is_scipys(freedom: int) -> None:
    for t in np.linspace(-9, 9, 37):
        assert distribution(float(t), freedom) == pytest.approx(special.stdtr(freedom, t), abs=1e-14)
    for level in (0.2, 0.05, 0.001):
        assert quantile(level, freedom) == pytest.approx(-special.stdtrit(freedom, level), rel=1e-12)
    assert quantile(0.05, None) == pytest.approx(1.6448536, abs=1e-7)
    assert (distribution(math.inf, freedom), distribution(-math.inf, freedom)) == (1, 0)
