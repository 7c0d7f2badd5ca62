"""Ranks are exact: those that METRICS names, and those of SciPy's binomial."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.foundation.order_statistics import interval_ranks, lower_rank, quantile_rank, upper_rank, values_needed


def test_p95_of_100() -> None:
    assert quantile_rank(100, 0.95) == 95
    assert interval_ranks(100, 0.95, 0.95) == (90, 100)
    assert upper_rank(100, 0.95, 0.95) == 99


def test_too_few_have_no_upper_bound() -> None:
    assert values_needed(0.95, 0.95) == 59
    assert (upper_rank(58, 0.95, 0.95), upper_rank(59, 0.95, 0.95)) == (None, 59)
    assert values_needed(0.95, 0.975) == 72
    assert (interval_ranks(71, 0.95, 0.95)[1], interval_ranks(72, 0.95, 0.95)[1]) == (None, 72)
    assert lower_rank(1, 0.95, 0.95) is None
    assert interval_ranks(0, 0.95, 0.95) == (None, None)


@pytest.mark.parametrize(("n", "q", "rank"), [(1, 0.5, 1), (2, 0.5, 1), (3, 0.5, 2), (1000, 0.99, 990), (20, 0.95, 19)])
def test_rank_of_a_quantile(n: int, q: float, rank: int) -> None:
    assert quantile_rank(n, q) == rank


@pytest.mark.parametrize("n", [10, 100, 999, 100_000])
@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("confidence", [0.9, 0.975])
def test_ranks_are_the_binomials(n: int, q: float, confidence: float) -> None:
    # P(B <= k) by the product of ratios, from the end where it is not tiny
    k = np.arange(n + 1)
    ratios = np.log(np.arange(n, 0, -1) / np.arange(1, n + 1)) + np.log(q / (1 - q))
    logs = n * np.log1p(-q) + np.concatenate([[0.0], np.cumsum(ratios)])
    cumulated = np.cumsum(np.exp(logs))
    enough = k[cumulated >= confidence][0] + 1
    assert upper_rank(n, q, confidence) == (enough if enough <= n else None)
    below = k[cumulated <= 1 - confidence]
    assert lower_rank(n, q, confidence) == (below[-1] + 1 if len(below) else None)


def test_intervals_cover_as_often_as_they_say() -> None:
    draws = np.sort(np.random.default_rng(7).exponential(size=(4000, 200)), axis=1)
    low, high = interval_ranks(200, 0.95, 0.95)
    assert low is not None
    assert high is not None
    true = -np.log(0.05)
    covered = np.mean((draws[:, low - 1] <= true) & (true <= draws[:, high - 1]))
    assert 0.94 <= covered <= 0.99
