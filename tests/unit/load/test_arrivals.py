"""Requests are due at times that nothing but the arguments decides."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.load.arrivals import constant_arrivals, poisson_arrivals


@pytest.mark.parametrize(
    ("rate", "seconds", "count"),
    [(100, 0.29, 29), (3, 1.1, 4), (2000, 0.3, 600), (0.1, 30, 3), (10, 0.01, 1), (1, 2.5, 3), (2000, 60, 120_000)],
)
def test_as_many_as_the_rate_says(rate: float, seconds: float, count: int) -> None:
    due = constant_arrivals(rate, seconds)
    assert len(due) == count
    assert due[0] == 0
    assert due[-1] == pytest.approx((count - 1) / rate)
    assert due[-1] < seconds


def test_poisson_is_the_same_for_a_seed_and_has_independent_pauses() -> None:
    due = poisson_arrivals(1000, 20, 3)
    assert due == poisson_arrivals(1000, 20, 3)
    assert due != poisson_arrivals(1000, 20, 4)
    assert len(due) == pytest.approx(20_000, abs=5 * 20_000**0.5)
    pauses = np.diff(due)
    # exponential: the deviation is as large as the mean
    assert np.mean(pauses) == pytest.approx(0.001, rel=0.05)
    assert np.std(pauses) == pytest.approx(0.001, rel=0.05)
    assert 0 < due[0] < due[-1] < 20
