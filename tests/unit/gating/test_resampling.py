"""The bootstrap's error against the formula; every subset."""

from __future__ import annotations

import math

import numpy as np
import pytest

from penstock.gating.resampling import bootstrap_error, subset_means


@pytest.mark.slow
def test_the_bootstrap_error_is_the_standard_error() -> None:
    from scipy import stats  # not above: each process that collects the tests would take a second to import it

    values = np.random.default_rng(4).normal(size=40)
    assert bootstrap_error(list(values)) == pytest.approx(values.std() / math.sqrt(40), rel=0.03)
    scipys = stats.bootstrap((values,), np.mean, n_resamples=9999, rng=np.random.default_rng(1)).standard_error
    assert bootstrap_error(list(values)) == pytest.approx(scipys, rel=0.03)
    assert bootstrap_error(list(values)) == bootstrap_error(list(values))
    many = np.random.default_rng(5).normal(size=3000)
    assert bootstrap_error(list(many)) == pytest.approx(many.std() / math.sqrt(3000), rel=0.03)
    # a shift far from zero costs no digits
    assert bootstrap_error(list(values + 1e9)) == pytest.approx(bootstrap_error(list(values)), rel=1e-5)


def test_subset_means_are_all_of_them() -> None:
    assert subset_means([1.0, 2.0, 6.0]).tolist() == [1, 1.5, 2, 3, 3.5, 4, 6]
