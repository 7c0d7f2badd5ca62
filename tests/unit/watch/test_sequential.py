"""E-values: their mean is at most 1 where nothing is worse, bursts count once, what both sides have cancels out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.watch.sequential import EventCounts, growth_within, weigh

RNG = np.random.default_rng


def counts(canary: list[float], stable: list[float], *, ours: float = 100, theirs: float = 1900) -> EventCounts:
    size = len(canary)
    return EventCounts(
        np.full(size, float(ours)), np.array(canary, float), np.full(size, float(theirs)), np.array(stable, float)
    )


def drawn(
    worse: float, *, burst: int = 1, canaries: int = 400, pods: int = 19, rate: float = 0.01, seed: int = 1
) -> EventCounts:
    rng, shape = RNG(seed), (canaries, 60)
    ours, theirs = np.full(shape, 66.0), np.full(shape, 66.0 * pods)
    mine, other = (
        rng.poisson(requests * rate * times / burst) * float(burst) for requests, times in ((ours, worse), (theirs, 1))
    )
    return EventCounts(ours, np.minimum(mine, ours), theirs, other)


def binomial(number: int, share: float) -> np.ndarray:
    """The probability of 0, 1, … of so many."""
    return np.array([math.comb(number, k) * share**k * (1 - share) ** (number - k) for k in range(number + 1)])


@pytest.mark.slow
@given(st.integers(1, 30), st.floats(0.02, 0.6), st.floats(1.2, 5.0))
def test_means_are_exact(events: int, share: float, ratio: float) -> None:
    # all that can be of one stretch, each with its probability; two stretches without events make it three
    canary = np.arange(events + 1, dtype=float)
    zeros = np.zeros_like(canary)
    requests = np.full((events + 1, 3), share)
    cases = EventCounts(
        requests,
        np.stack([zeros, zeros, canary], axis=1),
        1 - requests,
        np.stack([zeros, zeros, events - canary], axis=1),
    )
    found = weigh(cases, ratio=ratio)
    assert found.enough[:, -1].all()
    assert (found.dispersion[:, -1] == 1).all()
    same, worse = (binomial(events, s) for s in (share, share * ratio / (1 - share + share * ratio)))
    assert np.sum(same * np.exp(found.log_worse[:, -1])) <= 1 + 1e-9
    assert np.sum(worse * np.exp(found.log_within[:, -1])) == pytest.approx(1)


@pytest.mark.parametrize(("worse", "pods"), [(1.0, 19), (1.0, 1), (0.5, 19)])
def test_what_is_not_worse_is_rarely_ever_taken_for_it(worse: float, pods: int) -> None:
    found = weigh(drawn(worse, pods=pods, canaries=1000), ratio=2.0)
    for level in (0.05, 0.2):
        assert np.mean((found.log_worse >= -math.log(level)).any(axis=1)) <= level


def test_what_is_worse_by_the_margin_is_rarely_ever_taken_for_good() -> None:
    found = weigh(drawn(2.0, canaries=1000), ratio=2.0, harmless=0.001)
    assert np.mean((found.log_within >= -math.log(0.05)).any(axis=1)) <= 0.05


def test_power() -> None:
    assert np.mean((weigh(drawn(2.0), ratio=2.0).log_worse >= math.log(60)).any(axis=1)) >= 0.95
    assert np.mean((weigh(drawn(1.0), ratio=2.0).log_within >= math.log(50)).any(axis=1)) >= 0.93


def test_bursts_count_once() -> None:
    found = weigh(drawn(1.0, burst=10, canaries=1000), ratio=2.0)
    assert np.median(found.dispersion[:, -1]) == pytest.approx(10, rel=0.2)
    assert np.mean((found.log_worse >= math.log(20)).any(axis=1)) <= 0.05
    assert np.median(weigh(drawn(1.0), ratio=2.0).dispersion[:, -1]) == 1


def test_a_canary_that_alone_fails_is_seen_at_once_however_its_share_varies() -> None:
    """As on a cluster: 5 requests a stretch, now 1 and now 12, of some 130; two in five fail."""
    rng = RNG(5)
    ours = rng.integers(1, 13, (200, 30)).astype(float)
    failed = rng.binomial(ours.astype(int), 0.4).astype(float)
    theirs = rng.integers(60, 200, ours.shape).astype(float)
    found = weigh(EventCounts(ours, failed, theirs, np.zeros_like(theirs)), ratio=3.0, harmless=0.05)
    assert np.median(found.dispersion[:, -1]) == 1
    assert (found.log_worse[:, 9] > math.log(20)).mean() > 0.9


def test_a_canary_that_alone_fails_for_a_while_has_a_burst() -> None:
    found = weigh(counts([0, 0, 0, 30, 30, 0, 0, 0, 0, 0], [0] * 10), ratio=2.0)
    assert found.dispersion[-1] > 10
    assert found.log_worse[-1] < math.log(20)


def test_what_happens_to_both_cancels_out() -> None:
    quiet = [1.0] * 30
    both = weigh(counts([1, *[60.0] * 10, *quiet], [19, *[1140.0] * 10, *[19.0] * 30]), ratio=2.0)
    assert both.log_worse.max() < 0.1
    alone = weigh(counts([1, *[60.0] * 10, *quiet], [19.0] * 41), ratio=2.0)
    assert alone.log_worse.max() > math.log(60)


@pytest.mark.parametrize("begins", [0, 5, 30])
def test_one_brownout_stops_nothing(begins: int) -> None:
    canary = [1.0] * 40
    canary[begins : begins + 3] = [50.0, 50.0, 25.0]
    assert weigh(counts(canary, [19.0] * 40), ratio=2.0).log_worse.max() < math.log(20)


def test_an_outage_is_stopped_after_four_stretches() -> None:
    found = weigh(counts([100.0] * 10, [19.0] * 10), ratio=2.0)
    assert int(np.argmax(found.log_worse >= math.log(60))) == 3


def test_a_stretch_of_one_side_alone_says_nothing() -> None:
    base = counts([2.0] * 10, [20.0] * 10)
    more = EventCounts(
        np.append(base.canary_requests, [500.0, 0.0]),
        np.append(base.canary_events, [400.0, 0.0]),
        np.append(base.stable_requests, [0.0, 5000.0]),
        np.append(base.stable_events, [0.0, 4000.0]),
    )
    whole, part = weigh(more, ratio=2.0, harmless=0.01), weigh(base, ratio=2.0, harmless=0.01)
    for name in ("log_worse", "log_within", "dispersion"):
        assert getattr(whole, name)[-1] == pytest.approx(getattr(part, name)[-1])


def test_few_stretches_say_nothing() -> None:
    assert weigh(counts([50.0] * 4, [0.0] * 4), ratio=2.0).enough.tolist() == [False, False, True, True]


def test_no_errors_at_all() -> None:
    nothing = counts([0.0] * 100, [0.0] * 100)
    assert weigh(nothing, ratio=2.0).log_within[-1] == 0.0
    assert weigh(nothing, ratio=2.0, harmless=0.001).log_within[-1] == pytest.approx(7.5 - math.log(2), abs=0.01)
    assert weigh(nothing, ratio=2.0).log_worse[-1] < 1e-9


def test_harmless_is_not_stopped() -> None:
    rare = counts([1.0] + [0.0] * 9, [0.0] * 10, ours=2000, theirs=38_000)
    many = counts([4.0] * 10, [1.0] * 10, ours=2000, theirs=38_000)
    assert weigh(rare, ratio=2.0, harmless=0.01).log_worse.max() <= 0.0
    assert weigh(many, ratio=2.0, harmless=0.01).log_worse.max() <= 0.0
    assert weigh(many, ratio=2.0, harmless=0.001).log_worse.max() > 10


def test_growth_is_what_is_seen() -> None:
    found = weigh(drawn(1.0, canaries=2000), ratio=2.0)
    growth = growth_within(rate=0.01, share=0.05, ratio=2.0)
    assert found.log_within[:, -1].mean() == pytest.approx(growth * 66 * 60, rel=0.1)
    assert growth_within(rate=0.0, share=0.05, ratio=2.0) == 0.0
    assert growth_within(rate=0.0, share=0.05, ratio=2.0, harmless=0.001) == pytest.approx(0.00075)


@pytest.mark.slow
@given(st.lists(st.tuples(*[st.integers(0, 50)] * 4), min_size=1, max_size=30), st.floats(1.1, 10))
def test_any_counts_give_numbers(cells: list[tuple[int, int, int, int]], ratio: float) -> None:
    table = np.array(cells, dtype=float)
    found = weigh(
        EventCounts(table[:, 0] + table[:, 1], table[:, 1], table[:, 2] + table[:, 3], table[:, 3]),
        ratio=ratio,
        harmless=0.001,
    )
    for values in (found.log_worse, found.log_within, found.dispersion):
        assert np.isfinite(values).all()
    assert (found.dispersion >= 1).all()
