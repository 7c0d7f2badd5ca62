"""How far two answers of one model are apart, where neither is true: a strand, a speck, noise, nothing at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy import ndimage

from penstock.foundation.errors import UsageError
from penstock.metrics.matte_agreement import Apart, matte_agreement


def disc(radius: float = 20.0, size: int = 64) -> npt.NDArray[np.float64]:
    """A disc whose edge is soft over two pixels."""
    y, x = np.mgrid[:size, :size] - size / 2
    return np.asarray(np.clip((radius - np.hypot(y, x)) / 2 + 0.5, 0.0, 1.0))


def band_of(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """The edge band, found by SciPy."""
    edges = np.zeros(one.shape, bool)
    for matte in (one, other):
        mask = matte >= 0.5
        edges |= mask & ~ndimage.binary_erosion(mask, border_value=1) | (matte > 0.05) & (matte < 0.95)
    return np.asarray(ndimage.binary_dilation(edges, np.ones((5, 5))))


def test_the_values_are_those_of_their_definitions() -> None:
    rng = np.random.default_rng(7)
    for _ in range(5):
        one = np.round(disc(rng.uniform(5, 25)) * 255) / 255
        other = np.clip(one + rng.normal(0, 0.1, one.shape) * (rng.random(one.shape) < 0.2), 0, 1)
        found, difference = matte_agreement(one, other), np.abs(one - other)
        inside = difference[band_of(one, other)]
        assert found.mae == pytest.approx(difference.mean(), rel=1e-12)
        assert found.edge_max == inside.max()
        assert found.edge_p999 == pytest.approx(np.quantile(inside, 0.999), rel=1e-12)
        assert matte_agreement(other, one) == found


def test_a_strand_that_a_mean_hides_is_seen_at_the_edges() -> None:
    one = disc(size=512)
    other = one.copy()
    one[100:200, 40] = 0.9
    found = matte_agreement(one, other)
    assert found.mae == pytest.approx(90 / 512**2)
    assert found.mae < 0.005
    assert found.edge_max == pytest.approx(0.9)
    assert found.edge_p999 == pytest.approx(0.9)


def test_faint_noise_makes_no_edge_band() -> None:
    one = np.where(disc() >= 0.5, 1.0, 0.0)
    other = one.copy()
    other[:4] = 0.04
    assert matte_agreement(one, other) == Apart(mae=pytest.approx(0.04 * 4 / 64), edge_max=0.0, edge_p999=0.0)


def test_without_an_edge_there_is_no_band() -> None:
    empty, full = np.zeros((8, 8)), np.ones((8, 8))
    assert matte_agreement(empty, empty) == Apart(0.0, 0.0, 0.0)
    assert matte_agreement(empty, full).mae == 1.0


def test_two_sizes_cannot_be_compared() -> None:
    with pytest.raises(UsageError, match="differ in size: 8x4 and 4x8 pixels"):
        matte_agreement(np.zeros((4, 8)), np.zeros((8, 4)))
