"""Whether P95 has grown: buckets that can show it, and those that cannot."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from penstock.watch.evidence import LatencyCounts
from penstock.watch.latency import choose_thresholds, margin_of, slow_answers, weigh_latency

FINE = np.array(200.0 * 1.25 ** np.arange(-2, 12))
TRAEFIK_MS = np.array([100.0, 300.0, 1200.0, 5000.0])
TRUE_P95 = 300 * math.exp(0.5 * NormalDist().inv_cdf(0.95))


def latencies(
    bounds: np.ndarray, *, slower: float = 1.0, tail: float = 1.0, stretches: int = 30, ours: int = 66, seed: int = 1
) -> LatencyCounts:
    rng = np.random.default_rng(seed)
    found = []
    for requests, times in ((ours, slower), (ours * 19, 1.0)):
        values = times * 300 * np.exp(0.5 * rng.normal(size=(stretches, requests)))
        if requests == ours and tail > 1:
            values = np.where(values > TRUE_P95 * 0.999, values * tail, values)
        place = np.searchsorted(bounds, values)
        found.append(np.stack([np.bincount(row, minlength=len(bounds) + 1) for row in place]).astype(float))
    return LatencyCounts(bounds, found[0], found[1])


def test_p95_is_interpolated() -> None:
    found = choose_thresholds(latencies(FINE), ratio=1.5)
    assert found.p95_ms[-1] == pytest.approx(TRUE_P95, rel=0.03)
    assert not found.coarse.any()
    assert TRUE_P95 < FINE[found.bound[-1]] <= TRUE_P95 * 1.5


@pytest.mark.parametrize(
    "bounds", [TRAEFIK_MS, np.array([1.0, 2.0, 3.0]), np.array([5000.0, 6000.0]), np.array([600.0, 1000.0, 1001.0])]
)
def test_coarse_buckets_are_told(bounds: np.ndarray) -> None:
    found = choose_thresholds(latencies(bounds), ratio=1.5)
    assert found.coarse.all()
    assert (found.bound == -1).all()
    weighed = weigh_latency(latencies(bounds, slower=5.0), found)
    assert not weighed.enough.any()


def test_too_few_answers() -> None:
    found = choose_thresholds(latencies(FINE, ours=2, stretches=2), ratio=1.5)
    assert np.isnan(found.p95_ms).all()
    assert not found.coarse.any()


@pytest.mark.parametrize(("slower", "tail"), [(1.5, 1.0), (1.0, 1.5), (3.0, 1.0)])
def test_half_as_long_again_is_seen(slower: float, tail: float) -> None:
    counts = latencies(FINE, slower=slower, tail=tail)
    found = weigh_latency(counts, choose_thresholds(counts, ratio=1.5))
    assert found.log_worse.max() > math.log(60)
    assert found.log_within.max() < math.log(50)


@pytest.mark.parametrize("slower", [0.5, 1.0, 1.1])
def test_what_is_as_fast_is_within(slower: float) -> None:
    counts = latencies(FINE, slower=slower)
    found = weigh_latency(counts, choose_thresholds(counts, ratio=1.5))
    assert found.log_worse.max() < math.log(60)
    assert found.log_within[-1] > math.log(50)


def test_the_margin_never_promises_too_much() -> None:
    counts = latencies(FINE)
    found = choose_thresholds(counts, ratio=1.5)
    events = slow_answers(counts, int(found.bound[-1]))
    share = events.stable_events.sum() / events.stable_requests.sum()
    assert margin_of(int(found.steps[-1])) <= 0.05 / share


def test_both_slow_at_the_same_time_is_nothing() -> None:
    quiet, busy = latencies(FINE, stretches=20), latencies(FINE, stretches=20, seed=2)
    rolled = [np.roll(side, 2, axis=1) for side in (busy.canary, busy.stable)]
    counts = LatencyCounts(FINE, np.vstack([quiet.canary, rolled[0]]), np.vstack([quiet.stable, rolled[1]]))
    assert weigh_latency(counts, choose_thresholds(counts, ratio=1.5)).log_worse.max() < math.log(60)
