"""Resamples of identities and of pairs: against resamples that are weighted or drawn pair by pair."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.metrics import verification_resamples
from penstock.metrics.verification import Edges, equal_error_rate, find_edges, tar_at
from penstock.metrics.verification_resamples import (
    IdentityPairs,
    draw_identities,
    resample_identities,
    resample_pairs,
)
from penstock.metrics.verification_scores import sort_owned_pairs

FARS = [10, 100]
IDENTITIES, IMAGES = 14, 3


@pytest.fixture(params=[None, 1], ids=["fine", "tied"])
def drawn(request):
    """Scores of all pairs of 42 images, with their identities; the second time rounded, so that many are equal."""
    first, second = (each // IMAGES for each in np.triu_indices(IDENTITIES * IMAGES, 1))
    scores = np.random.default_rng(1).normal(1.5 * (first == second))
    return scores if request.param is None else scores.round(request.param), first, second


def weighted(scores, same, weights) -> Edges:
    """Edges of pairs that count as often as they weigh, by repeating them."""
    from penstock.metrics.verification import sort_pairs

    times = weights.astype(np.int64)
    return find_edges(sort_pairs(np.repeat(scores, times), np.repeat(same, times)))


@pytest.mark.parametrize("few_edges", [256, 4], ids=["all edges", "blocks"])
def test_a_pair_counts_as_often_as_its_identities(drawn, few_edges: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification_resamples, "FEW_EDGES", few_edges)
    scores, first, second = drawn
    same = first == second
    pairs, owners = sort_owned_pairs(scores, same, first, second, IDENTITIES)
    found = resample_identities(find_edges(pairs), owners.pairs, FARS, resamples=30)
    counts = draw_identities(IDENTITIES, 30)
    for number in range(30):
        times = np.where(same, counts[first, number], counts[first, number] * counts[second, number])
        edges = weighted(scores, same, times)
        assert found.eer[number] == pytest.approx(equal_error_rate(edges), abs=1e-12)
        for far in FARS:
            assert found.tar[far][number] == tar_at(edges, far)


def test_batches_make_no_difference(drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    scores, first, second = drawn
    pairs, owners = sort_owned_pairs(scores, first == second, first, second, IDENTITIES)
    edges = find_edges(pairs)
    whole = resample_identities(edges, owners.pairs, FARS, resamples=20)
    monkeypatch.setattr(verification_resamples, "MOST_BATCH", 7)
    parts = resample_identities(edges, owners.pairs, FARS, resamples=20)
    assert (whole.eer == parts.eer).all()
    assert all((whole.tar[far] == parts.tar[far]).all() for far in FARS)


def test_the_highest_impostors_are_enough_if_their_total_weight_is_known(drawn) -> None:
    scores, first, second = drawn
    pairs, owners = sort_owned_pairs(scores, first == second, first, second, IDENTITIES)
    edges, all_ = find_edges(pairs), owners.pairs
    whole = resample_identities(edges, all_, FARS, resamples=20)

    def everyone(counts):
        return (counts[all_.first] * counts[all_.second]).sum(axis=0).astype(np.int64)

    for known in (0, 10, 700):
        part = IdentityPairs(IDENTITIES, all_.genuine, all_.first[:known], all_.second[:known], everyone)
        found = resample_identities(edges, part, FARS, resamples=20)
        told = np.isfinite(found.eer)
        assert (found.eer[told] == whole.eer[told]).all()
        assert told.all() == (known == 700)
        assert np.isinf(found.eer[~told]).all()


def test_a_resample_without_a_pair_has_no_value() -> None:
    """Of two identities, half of the resamples draw one of them twice: no pair of two is left."""
    pairs, owners = sort_owned_pairs(
        np.array([0.9, 0.8, 0.1]), np.array([True, True, False]), np.array([0, 1, 0]), np.array([0, 1, 1]), 2
    )
    found = resample_identities(find_edges(pairs), owners.pairs, [10], resamples=100)
    assert 30 < np.isnan(found.eer).sum() < 70
    assert set(found.eer[~np.isnan(found.eer)]) == {0}


@pytest.mark.slow
def test_pairs_are_drawn_as_a_bootstrap_draws_them(drawn) -> None:
    """Mean, spread and a quantile of the values, against pairs that are drawn one by one."""
    scores, first, second = drawn
    same = first == second
    pairs, _ = sort_owned_pairs(scores, same, first, second, IDENTITIES)
    found = resample_pairs(find_edges(pairs), FARS, resamples=4000)
    random = np.random.default_rng(2)
    plain = {"eer": [], 10: [], 100: []}
    for _ in range(1000):
        rows = np.concatenate([random.choice(np.flatnonzero(kind), kind.sum()) for kind in (same, ~same)])
        edges = weighted(scores, same, np.bincount(rows, minlength=len(scores)))
        plain["eer"].append(equal_error_rate(edges))
        for far in FARS:
            plain[far].append(tar_at(edges, far))
    for name, values in {"eer": found.eer, **found.tar}.items():
        expected = np.array(plain[name])
        error = expected.std() / np.sqrt(len(expected))
        assert values.mean() == pytest.approx(expected.mean(), abs=5 * error)
        assert values.std() == pytest.approx(expected.std(), rel=0.12)
        assert np.quantile(values, 0.9) == pytest.approx(np.quantile(expected, 0.9), abs=0.5 * expected.std())


def test_draws_are_the_same_every_time() -> None:
    assert draw_identities(3, 2).tolist() == draw_identities(3, 2).tolist()
    assert (draw_identities(50, 8).sum(axis=0) == 50).all()


@pytest.mark.parametrize("lost", [0, 2], ids=["no errors", "two genuine pairs below all others"])
def test_a_model_without_errors_needs_few_of_the_impostor_pairs(lost: int) -> None:
    """All values are decided by the highest of them, as they are where all pairs are known."""
    first, second = (each // IMAGES for each in np.triu_indices(IDENTITIES * IMAGES, 1))
    same = first == second
    scores = np.random.default_rng(1).normal(20.0 * same)
    scores[np.flatnonzero(same)[:lost]] = -50
    pairs, owners = sort_owned_pairs(scores, same, first, second, IDENTITIES)
    edges, known = find_edges(pairs), 250

    def everyone(counts):
        images = IMAGES * counts.T.astype(np.int64)
        return (images.sum(axis=1) ** 2 - (images**2).sum(axis=1)) // 2

    whole = owners.pairs
    few = IdentityPairs(IDENTITIES, whole.genuine, whole.first[:known], whole.second[:known], everyone)
    found, expected = (resample_identities(edges, each, FARS, resamples=50) for each in (few, whole))
    assert np.isfinite(expected.eer).all()
    assert found.eer.tolist() == expected.eer.tolist()
    assert {far: values.tolist() for far, values in found.tar.items()} == {
        far: values.tolist() for far, values in expected.tar.items()
    }
    assert (expected.eer > 0).any() == bool(lost)
