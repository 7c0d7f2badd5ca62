"""What the differences of the cases say about their mean: bootstrap and sign flips. Arrays in, numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

RESAMPLES = 10_000
SEED = 20_260_301
"""Fixed: the same measurements have the same verdict, whenever and wherever they are judged."""
CHUNK_DRAWS = 2_000_000
"""Draws that are made at a time: bounds the memory for any number of cases."""
KEPT_CASES = 500
"""Draws for up to so many cases are kept (40 MB) for the next metric."""


def bootstrap_error(differences: Sequence[float]) -> float:
    """Standard error of the mean, by the bootstrap over cases.

    The cases are drawn with replacement 10,000 times with a fixed seed; this is the standard deviation of the drawn
    means (B. Efron and R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 6).

    Args:
        differences: one a case, at least 2.

    Returns:
        In the differences' unit. √((n-1)/n) of the textbook's standard error: 2.5 % less at 20 cases.
    """
    values = np.asarray(differences, dtype=np.float64)
    count = len(values)
    centred = values - values.mean()
    means = np.concatenate([part @ centred for part in _draws(count)]) / count
    return float(means.std())


def spread(values: Sequence[float]) -> float:
    """Standard deviation of resampled values around their own mean."""
    return float(np.asarray(values, dtype=np.float64).std())


def subset_means(differences: Sequence[float]) -> Values:
    """Means of all subsets of the cases but the empty one, ascending.

    A sign-flip test of "the mean is μ" counts the sign patterns whose sum of differences from μ is at least as extreme
    as the one that was seen; to flip a subset makes the sum no larger exactly where the subset's mean is at least μ. So
    the sorted means are the test's bounds (J. Hartigan, Using Subsample Values as Typical Values, 1969).

    Args:
        differences: one a case, at most 19 (half a million subsets).

    Returns:
        Shape (2^n - 1,), in the differences' unit.
    """
    sums, sizes = np.zeros(1), np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums, sums + difference])
        sizes = np.concatenate([sizes, sizes + 1])
    means: Values = np.sort(sums[1:] / sizes[1:])
    return means


def _draws(count: int) -> Iterable[Values]:
    """How often each case is in each resample: arrays of shape (some resamples, ``count``), 10,000 rows in all."""
    return (_kept_draws(count),) if count <= KEPT_CASES else _drawn(count)


@lru_cache(maxsize=4)
def _kept_draws(count: int) -> Values:
    """The same for every metric of a suite: rules look at the same cases again and again."""
    return np.concatenate(list(_drawn(count)))


def _drawn(count: int) -> Iterator[Values]:
    generator = np.random.default_rng(SEED)
    rows = max(1, CHUNK_DRAWS // count)
    for begin in range(0, RESAMPLES, rows):
        here = min(rows, RESAMPLES - begin)
        cases = generator.integers(0, count, size=(here, count))
        cases += np.arange(here)[:, None] * count
        yield np.bincount(cases.ravel(), minlength=here * count).reshape(here, count).astype(np.float64)
