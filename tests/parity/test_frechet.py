"""FID and KID against torch-fidelity on the same features.

Needs the parity environment (torch, torch-fidelity): its ``python -m pytest tests/parity``.
"""

import numpy as np
import pytest
import torch
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric

from penstock.metrics.frechet import frechet_distance, kernel_distance

RELATIVE = 1e-4


def draw(n, d, *, seed, shift=0.3):
    """Features as Inception's look: not negative, correlated, with a few strong directions."""
    random = np.random.default_rng(seed)
    mixing = np.random.default_rng(1).normal(size=(d, d)) * np.geomspace(1, 0.01, d)[:, None] / np.sqrt(d)
    return np.abs(random.normal(size=(n, d)) @ mixing * 3 + shift).astype(np.float32)


@pytest.mark.parametrize(
    ("n", "m", "d"), [(300, 300, 512), (120, 300, 512), (1000, 800, 128), (60, 1000, 128), (2, 9, 64)]
)
def test_fid(n, m, d):
    a, b = draw(n, d, seed=2), draw(m, d, seed=3, shift=0.5)
    statistics = [fid_features_to_statistics(torch.from_numpy(features)) for features in (a, b)]
    expected = fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert frechet_distance(a, b) == pytest.approx(expected, rel=RELATIVE)


@pytest.mark.parametrize(("n", "m", "size"), [(300, 400, 100), (1200, 1100, 1000)])
def test_kid_by_subsets(n, m, size):
    a, b = draw(n, 64, seed=2), draw(m, 64, seed=3, shift=0.5)
    expected = kid_features_to_metric(
        torch.from_numpy(a), torch.from_numpy(b), kid_subsets=20, kid_subset_size=size, rng_seed=2020, verbose=False
    )
    actual = kernel_distance(a, b, subsets=20, subset_size=size, seed=2020)
    assert actual == pytest.approx(expected["kernel_inception_distance_mean"], rel=RELATIVE)


def test_kid_of_a_small_set_is_torch_fidelitys_with_one_subset_of_all_rows():
    a, b = draw(150, 64, seed=2), draw(150, 64, seed=3, shift=0.5)
    expected = kid_features_to_metric(
        torch.from_numpy(a), torch.from_numpy(b), kid_subsets=1, kid_subset_size=150, rng_seed=2020, verbose=False
    )
    assert kernel_distance(a, b) == pytest.approx(expected["kernel_inception_distance_mean"], rel=RELATIVE)
