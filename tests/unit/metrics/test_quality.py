"""AUROC, FPR at 95 %, the discard curve and the bands: by hand, and against the definition pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics.quality import (
    BANDS,
    accepted_ood95,
    auroc,
    band_counts,
    band_of,
    discard_curve,
    fpr95,
)

few = st.lists(st.integers(0, 6), min_size=1, max_size=30)


def both(inside, outside):
    quality = np.array([*inside, *outside], np.float64)
    return quality, np.arange(len(quality)) >= len(inside)


@pytest.mark.slow
@given(few, few)
def test_auroc_counts_pairs_and_ties_half(inside: list[int], outside: list[int]) -> None:
    wins = sum((a > b) + (a == b) / 2 for a in inside for b in outside) / (len(inside) * len(outside))
    assert auroc(*both(inside, outside)) == pytest.approx(wins, abs=1e-12)
    assert auroc(*both(np.exp(inside), np.exp(outside))) == pytest.approx(wins, abs=1e-12)
    assert auroc(*both(outside, inside)) == pytest.approx(1 - wins, abs=1e-12)


@pytest.mark.slow
@given(few, few)
def test_fpr95_is_the_best_of_all_thresholds_that_find_enough(inside: list[int], outside: list[int]) -> None:
    thresholds = {*inside, *outside}
    finding = [t for t in thresholds if 20 * sum(value <= t for value in outside) >= 19 * len(outside)]
    lost = min(sum(value <= t for value in inside) / len(inside) for t in finding)
    assert fpr95(*both(inside, outside)) == lost
    passing = [t for t in thresholds if 20 * sum(value >= t for value in inside) >= 19 * len(inside)]
    accepted = min(sum(value >= t for value in outside) / len(outside) for t in passing)
    assert accepted_ood95(*both(inside, outside)) == accepted


def test_twenty_of_which_nineteen_are_enough() -> None:
    outside = np.arange(20)
    assert fpr95(*both([18.5, 30], outside)) == 0  # 0 to 18 are nineteen
    assert fpr95(*both([18, 30], outside)) == 0.5
    assert fpr95(*both([18.5, 30], np.arange(19))) == 0  # all nineteen: eighteen would be 94.7 %


def test_the_side_that_is_positive_matters() -> None:
    quality, ood = both([0.9, 0.8, 0.7, 0.2], [0.6, 0.1])
    assert fpr95(quality, ood) == 0.25
    assert accepted_ood95(quality, ood) == 0.5


def test_a_discard_curve_by_hand() -> None:
    curve = discard_curve(np.array([0.9, 0.1, 0.5, 0.5]), np.array([0, 1, 1, 0]))
    assert curve.discarded.tolist() == [0, 0.25, 0.75]
    assert curve.error.tolist() == [0.5, pytest.approx(1 / 3), 0]
    assert curve.quality.tolist() == [0.1, 0.5, 0.9]
    assert curve.area == pytest.approx(0.25 * 0.5 + 0.5 / 3)
    assert [curve.at(share) for share in (0, 0.2, 0.25, 0.5, 1)] == [0.5, 0.5, *[pytest.approx(1 / 3)] * 2, 0]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=1, max_size=30))
def test_each_point_is_the_mean_of_what_is_kept(rows: list[tuple[int, int]]) -> None:
    quality, error = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    curve = discard_curve(quality, error)
    assert len(curve.quality) == len(set(quality))
    for share, kept, least in zip(curve.discarded, curve.error, curve.quality, strict=True):
        assert share == (quality < least).mean()
        assert kept == pytest.approx(error[quality >= least].mean(), abs=1e-12)
    mapped = discard_curve(np.exp(quality), error)
    assert mapped.area == curve.area
    order = np.random.default_rng(0).permutation(len(error))
    assert discard_curve(quality[order], error[order]).area == pytest.approx(curve.area, abs=1e-12)


def test_quality_that_tells_nothing_has_the_mean_for_its_area() -> None:
    assert discard_curve(np.ones(4), np.array([1.0, 0, 0, 0])).area == 0.25


def test_thinned_keeps_both_ends() -> None:
    curve = discard_curve(np.arange(1000.0), np.linspace(1, 0, 1000))
    thin = curve.thinned(50)
    assert len(thin.error) == 50
    assert (thin.discarded[0], thin.discarded[-1]) == (0, 0.999)
    assert len(curve.thinned(5000).error) == 1000


def test_bands_begin_at_their_bounds() -> None:
    quality = np.array([1.0, 0.8, np.nextafter(0.8, 0), 0.6, 0.4, np.nextafter(0.4, 0), 0.0])
    assert [list(BANDS)[number] for number in band_of(quality)] == [
        *("pass", "pass", "mark", "mark", "retry", "refuse", "refuse")
    ]
    assert band_counts(quality) == {"pass": 2, "mark": 2, "retry": 1, "refuse": 2}
