"""Canaries that are made up: what both sides serve in each minute, for thousands of canaries at the same time."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from penstock.watch.evidence import LatencyCounts, LiveEvidence, RequestTable
from penstock.watch.sequential import EventCounts
from penstock.watch.watch_policy import CountMargin, LatencyMargin, WatchedSignals, WatchPolicy

POLICY = WatchPolicy(signals=WatchedSignals(errors=CountMargin(), latency=LatencyMargin(), feedback=CountMargin()))
REQUESTS_PER_USER = 5
BOUNDS_MS = 200.0 * 1.25 ** np.arange(-2.0, 12.0)
NORMAL = NormalDist()
MEDIAN_MS, SPREAD = 300.0, 0.5
"""Latencies are log-normal: P95 is 683 ms."""


@dataclass(frozen=True)
class Scenario:
    """One kind of canary beside its stable side."""

    name: str
    kind: str
    """``same``: unchanged, or no worse; ``bad``: worse by a margin; ``between``."""
    requests: int = 4000
    """Of the canary, at most."""
    minutes: int = 60
    pods: int = 19
    """Stable pods, each with as many requests as the canary."""
    errors: float = 0.01
    """Of the stable side's requests."""
    complaints: float = 0.01
    worse_errors: float = 1.0
    worse_complaints: float = 1.0
    slower: float = 1.0
    slower_tail: float = 1.0
    """Only what is slower than the median of the slowest tenth becomes so many times slower."""
    breaks_at: int = 0
    """The minute from which it is worse."""
    burst: int = 1
    """So many errors come together: a user who tries again. Users are not known."""
    brownouts: float = 0.0
    """In each minute a pod begins one with this probability; for two minutes half of its requests fail."""
    cold_minutes: float = 0.0
    """How fast cold pods warm up: e times in so many minutes; at first 5 times the errors, 3 times the latency."""
    fresh_stable: bool = False
    """The stable side is cold, too."""
    left_out: int = 0
    """Minutes of warm-up."""


def make_evidence(scenario: Scenario, canaries: int, rng: np.random.Generator) -> LiveEvidence:
    """The evidence on so many canaries: arrays of shape (canaries, minutes)."""
    shape = (canaries, scenario.minutes)
    mean = scenario.requests / scenario.minutes
    minute = np.arange(scenario.minutes) + scenario.left_out
    cold = np.exp(-minute / scenario.cold_minutes) if scenario.cold_minutes else np.zeros(scenario.minutes)
    cold_stable = cold if scenario.fresh_stable else np.zeros_like(cold)
    broken = minute >= scenario.breaks_at
    ours = rng.poisson(mean, shape).astype(np.float64)
    theirs = rng.poisson(mean * scenario.pods, shape).astype(np.float64)
    worse = np.where(broken, scenario.worse_errors, 1.0)
    return LiveEvidence(
        0.0,
        60.0,
        errors=EventCounts(
            ours,
            _errors(scenario, ours, worse * (1 + 4 * cold), 1, rng),
            theirs,
            _errors(scenario, theirs, 1 + 4 * cold_stable, scenario.pods, rng),
        ),
        latency=LatencyCounts(
            BOUNDS_MS,
            _latencies(ours, np.where(broken, scenario.slower, 1.0) * (1 + 2 * cold), scenario.slower_tail, rng),
            _latencies(theirs, 1 + 2 * cold_stable, 1.0, rng),
        ),
        feedback=EventCounts(
            ours,
            rng.binomial(ours.astype(int), scenario.complaints * scenario.worse_complaints).astype(np.float64),
            theirs,
            rng.binomial(theirs.astype(int), scenario.complaints).astype(np.float64),
        ),
    )


def _errors(
    scenario: Scenario, requests: NDArray[np.float64], worse: NDArray[np.float64], pods: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    rate = np.minimum(scenario.errors * worse, 1.0)
    if scenario.burst == 1:
        found = rng.binomial(requests.astype(int), np.broadcast_to(rate, requests.shape)).astype(np.float64)
    else:
        found = rng.poisson(requests * rate / scenario.burst).astype(np.float64) * scenario.burst
    if scenario.brownouts:
        begun = rng.binomial(pods, scenario.brownouts, requests.shape)
        early = rng.random(requests.shape)
        dark = begun * early
        dark[:, 1:] += begun[:, :-1]
        dark[:, 2:] += (begun * (1 - early))[:, :-2]
        found += rng.poisson(0.5 * dark * requests / pods)
    return np.minimum(found, requests)


def _latencies(
    requests: NDArray[np.float64], slower: NDArray[np.float64], tail: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Counts of answers by bucket."""
    tail_from = MEDIAN_MS * np.exp(SPREAD * NORMAL.inv_cdf(0.95)) * 0.999
    bounds = np.broadcast_to(BOUNDS_MS, (len(slower), len(BOUNDS_MS))) / slower[:, None]
    if tail > 1:
        # what was over ``tail_from`` is ``tail`` times as much: nothing lies between the two any more
        bounds = np.where(bounds > tail_from * tail, bounds / tail, np.minimum(bounds, tail_from))
    below = np.vectorize(NORMAL.cdf)(np.log(bounds / MEDIAN_MS) / SPREAD)
    share = np.diff(np.concatenate([np.zeros((len(slower), 1)), below, np.ones((len(slower), 1))], axis=1), axis=1)
    return rng.poisson(requests[..., None] * share[None]).astype(np.float64)


def retrying_users(
    worse: float, rng: np.random.Generator, *, requests: int, minutes: int, pods: int, brownouts: float = 0.0
) -> RequestTable:
    """Single requests of users who stay on their side; who fails tries three times more, and mostly fails again.

    Some users fail more often than others: their rates are spread log-normally around 1 %. With ``brownouts`` each pod
    begins one in each minute with this probability: for two minutes half of its requests fail.
    """
    users = requests * (1 + pods) // REQUESTS_PER_USER
    canary = rng.random(users) < 1 / (1 + pods)
    prone = np.exp(rng.normal(-0.5, 1.0, users)) * 0.01
    number = rng.poisson(REQUESTS_PER_USER, users)
    who = np.repeat(np.arange(users), number)
    time = rng.random(len(who)) * minutes * 60.0
    failed = rng.random(len(who)) < np.minimum(prone[who] * np.where(canary[who], worse, 1.0), 1.0)
    if brownouts:
        failed |= _in_brownout(time, canary[who], rng, minutes=minutes, pods=pods, share=brownouts)
    again = np.repeat(np.flatnonzero(failed), 3)
    time = np.concatenate([time, time[again] + np.tile([5.0, 10.0, 15.0], len(again) // 3)])
    failed = np.concatenate([failed, rng.random(len(again)) < 0.9])
    who = np.concatenate([who, who[again]])
    order = np.argsort(time, kind="stable")
    count = len(who)
    latency = MEDIAN_MS * np.exp(SPREAD * rng.normal(size=count))
    return RequestTable(time[order], canary[who][order], who[order], failed[order], latency, rng.random(count) < 0.01)


def _in_brownout(
    time: NDArray[np.float64],
    canary: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    minutes: int,
    pods: int,
    share: float,
) -> NDArray[np.bool_]:
    """Which requests meet a brownout of the pod that serves them, the canary's or one of the stable ones, and fail."""
    pod = np.where(canary, pods, rng.integers(0, pods, len(time)))
    met = np.zeros(len(time), dtype=bool)
    for number, minute in zip(*np.nonzero(rng.random((pods + 1, minutes)) < share), strict=True):
        begun = (minute + rng.random()) * 60.0
        met |= (pod == number) & (time >= begun) & (time < begun + 120.0)
    return met & (rng.random(len(time)) < 0.5)
