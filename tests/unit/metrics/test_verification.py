"""EER, TAR at a FAR, DET and d′ on examples by hand, and against the definition, threshold by threshold."""

from __future__ import annotations

import math
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.metrics.verification import (
    PairScores,
    accepted_at,
    accepted_at_eer,
    crossed,
    d_prime,
    det_points,
    equal_error_rate,
    find_edges,
    meeting_edge,
    meeting_point,
    sort_pairs,
    tar_at,
    threshold_at,
    threshold_at_eer,
)


def pairs_of(genuine, impostor) -> PairScores:
    scores = np.concatenate([genuine, impostor]).astype(np.float64)
    return sort_pairs(scores, np.arange(len(scores)) < len(genuine))


def by_definition(genuine, impostor, one_in: int) -> tuple[float, float]:
    """EER and TAR from the rates at every threshold, nothing sorted or shared with the code."""
    points = [(0.0, 0.0)]
    for threshold in sorted({*genuine, *impostor}, reverse=True):
        fmr = sum(score >= threshold for score in impostor) / len(impostor)
        points.append((fmr, sum(score >= threshold for score in genuine) / len(genuine)))
    tar = max(tpr for fmr, tpr in points if fmr * one_in <= 1 + 1e-12)
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 >= 1 - y1:
            part = (1 - y0 - x0) / ((1 - y0 - x0) + (x1 - (1 - y1)))
            return x0 + part * (x1 - x0), tar
    raise AssertionError


few = st.lists(st.integers(0, 8), min_size=1, max_size=12)


@pytest.mark.slow
@given(few, few, st.sampled_from([2, 3, 10]))
def test_rates_are_those_of_the_definition_ties_too(genuine: list[int], impostor: list[int], one_in: int) -> None:
    edges = find_edges(pairs_of(genuine, impostor))
    eer, tar = by_definition(genuine, impostor, one_in)
    assert equal_error_rate(edges) == pytest.approx(eer, abs=1e-12)
    assert tar_at(edges, one_in) == pytest.approx(tar, abs=1e-12)


@pytest.mark.slow
@given(few, few)
def test_monotone_maps_change_nothing(genuine: list[int], impostor: list[int]) -> None:
    plain = find_edges(pairs_of(genuine, impostor))
    mapped = find_edges(pairs_of(np.exp(genuine), np.exp(impostor)))
    assert (plain.impostors == mapped.impostors).all()
    assert (plain.genuine == mapped.genuine).all()


@pytest.mark.slow
@given(few, few)
def test_the_kinds_swapped_and_the_scores_turned_give_the_same_eer(genuine: list[int], impostor: list[int]) -> None:
    one = equal_error_rate(find_edges(pairs_of(genuine, impostor)))
    other = equal_error_rate(find_edges(pairs_of(-np.array(impostor), -np.array(genuine))))
    assert one == pytest.approx(other, abs=1e-12)
    distances = equal_error_rate(find_edges(pairs_of(impostor, genuine)))
    assert one == pytest.approx(1 - distances, abs=1e-12)


def test_perfect_and_worst() -> None:
    edges = find_edges(pairs_of([3, 4], [1, 2]))
    assert (equal_error_rate(edges), tar_at(edges, 10)) == (0, 1)
    edges = find_edges(pairs_of([1, 2], [3, 4]))
    assert (equal_error_rate(edges), tar_at(edges, 10)) == (1, 0)


@pytest.mark.parametrize("count", [70_000, 300_000, 9_000])
def test_the_impostors_that_may_be_accepted_are_counted_exactly(count: int) -> None:
    """Just so many of them as the FAR allows stand above the genuine score: one more would be too many."""
    allowed = count // 1000
    impostor = np.arange(count, dtype=np.float64)
    at = count - allowed - 0.5
    assert tar_at(find_edges(pairs_of([at], impostor)), 1000) == 1
    assert tar_at(find_edges(pairs_of([at - 1], impostor)), 1000) == 0


def test_threshold_accepts_just_what_its_tar_says() -> None:
    random = np.random.default_rng(3)
    pairs = pairs_of(random.normal(2, 1, 300).round(1), random.normal(0, 1, 4000).round(1))
    threshold = threshold_at(pairs, 100)
    assert threshold is not None
    assert (pairs.impostor >= threshold).mean() <= 0.01
    assert (pairs.genuine >= threshold).mean() == tar_at(find_edges(pairs), 100)
    assert threshold_at(pairs_of([0], [1]), 10) is None


def test_where_the_lines_meet() -> None:
    edges = find_edges(pairs_of([0.9, 0.3], [0.5, 0.1]))
    assert meeting_edge(edges) == 2
    assert meeting_point(edges, 2, edges.impostors[1:3]) == equal_error_rate(edges) == 0.5
    assert (accepted_at_eer(edges), accepted_at(edges, 10)) == (1, 1)
    assert crossed(edges, np.array([1, 2]), edges.impostors[1:3]).tolist() == [False, True]


def test_det_points_are_rates_at_their_thresholds() -> None:
    random = np.random.default_rng(4)
    pairs = pairs_of(random.normal(2, 1, 3000), random.normal(0, 1, 5000))
    points = det_points(pairs, most=50)
    assert 25 < len(points) <= 50
    for threshold, fmr, fnmr in points:
        assert fmr == (pairs.impostor >= threshold).mean()
        assert fnmr == pytest.approx((pairs.genuine < threshold).mean(), abs=1e-12)
    assert points == sorted(points, reverse=True)
    assert (points[0][1], points[-1][2]) == (0, 0)


def test_d_prime() -> None:
    assert d_prime(pairs_of([5, 3], [1, -1])) == pytest.approx(4)
    assert d_prime(pairs_of([1, 1], [0, 0])) is None


@pytest.mark.parametrize("score", [0.9, 0.1, 1 / 3])
def test_scores_that_are_equal_have_no_d_prime_however_their_mean_is_rounded(score: float) -> None:
    for count in (3, 7, 1000):
        assert d_prime(pairs_of([score] * count, [score - 0.8] * count)) is None
    assert d_prime(pairs_of([score] * 3, [0.1, -0.1])) == pytest.approx(score / math.sqrt(0.005))


@pytest.mark.parametrize("scale", [1e308, 1e200, 1e-200, 1e-305])
def test_d_prime_does_not_depend_on_the_unit(scale: float) -> None:
    assert d_prime(pairs_of([scale, 0.6 * scale], [0.2 * scale, -0.2 * scale])) == pytest.approx(4)


@pytest.mark.parametrize("lowest", [-1e3, -sys.float_info.max])
def test_failures_may_have_any_lowest_score(lowest: float) -> None:
    """They leave nothing of the spread but their own; EER and TAR see their order alone."""
    pairs = pairs_of([0.9, 0.8, lowest, lowest], [0.2, 0.1])
    assert d_prime(pairs) == pytest.approx(-math.sqrt(2), rel=2e-3)
    assert equal_error_rate(find_edges(pairs)) == equal_error_rate(find_edges(pairs_of([0.9, 0.8, -1, -1], [0.2, 0.1])))


def test_a_spread_too_small_for_a_number_is_none() -> None:
    assert d_prime(pairs_of([0.9, 0.9], [1e-200, 2e-200])) is None


@pytest.mark.parametrize(("genuine", "impostor", "kind"), [([], [1], "genuine"), ([1], [], "impostor")])
def test_one_kind_has_no_rates(genuine: list[float], impostor: list[float], kind: str) -> None:
    with pytest.raises(UsageError, match=f"there are no {kind} pairs"):
        pairs_of(genuine, impostor)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_are_finite(bad: float) -> None:
    with pytest.raises(UsageError, match="not a finite number"):
        pairs_of([0.5, bad], [0.1])


def test_the_threshold_of_the_eer_lies_in_the_gap_and_gives_the_eers_rates() -> None:
    assert threshold_at_eer(PairScores(np.array([0.9, 0.8]), np.array([0.4, 0.3]))) == pytest.approx(0.6)
    assert threshold_at_eer(PairScores(np.array([0.9, 0.8, 0.2]), np.array([0.7, 0.1, 0.0]))) == pytest.approx(0.75)
    assert threshold_at_eer(PairScores(np.array([0.5]), np.array([0.9, 0.8]))) is None
    random = np.random.default_rng(3)
    genuine, impostor = np.sort(random.normal(2, 1, 400))[::-1], np.sort(random.normal(0, 1, 4000))[::-1]
    pairs = PairScores(genuine, impostor)
    threshold, eer = threshold_at_eer(pairs), equal_error_rate(find_edges(pairs))
    assert (genuine < threshold).mean() == pytest.approx(eer, abs=0.005)
    assert (impostor >= threshold).mean() == pytest.approx(eer, abs=0.005)
