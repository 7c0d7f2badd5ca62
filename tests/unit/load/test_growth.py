"""A leak is told from what grows once, and from noise."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.load.growth import Growth, growth_per_thousand

DONE = np.linspace(0, 20_000, 200)
LEAK = 3.0
"""For each 1,000 requests."""


def grown(values: np.ndarray) -> Growth:
    found = growth_per_thousand(list(DONE), list(values))
    assert found is not None
    return found


def test_a_line_is_its_slope() -> None:
    found = grown(500 + LEAK * DONE / 1000)
    assert found.per_thousand == pytest.approx(LEAK)
    assert found.interval == pytest.approx((LEAK, LEAK))


@pytest.mark.parametrize("leak", [0.0, LEAK])
@pytest.mark.parametrize("kind", ["noise", "walk", "saw-tooth"])
def test_intervals_hold_the_true_growth(leak: float, kind: str) -> None:
    draws = np.random.default_rng(11)
    covered = 0
    for _ in range(200):
        if kind == "noise":
            noise = draws.normal(0, 5, 200)
        elif kind == "walk":
            noise = np.cumsum(draws.normal(0, 1, 200))
        else:
            noise = 20 * ((np.arange(200) / draws.uniform(3, 9) + draws.uniform()) % 1)
        low, high = grown(500 + leak * DONE / 1000 + noise).interval
        covered += low <= leak <= high
    assert covered >= 0.93 * 200


def test_a_leak_is_found() -> None:
    draws = np.random.default_rng(5)
    found = grown(500 + LEAK * DONE / 1000 + draws.normal(0, 2, 200))
    assert found.interval[0] > 0


@pytest.mark.parametrize("at", [30, 100, 170])
def test_what_is_taken_once_is_no_leak(at: int) -> None:
    # least squares through these samples would be sure of a slope
    values = np.where(np.arange(200) < at, 500.0, 550.0)
    low, high = grown(values).interval
    assert low <= 0 <= high


def test_too_little_to_say() -> None:
    assert growth_per_thousand(list(DONE[:99]), list(DONE[:99])) is None
    assert growth_per_thousand([5.0] * 100, list(range(100))) is None
