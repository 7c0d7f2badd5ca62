"""Whether a canary's P95 is so many times the stable side's, from histograms.

If it is, at least 5 % of its answers take longer than the highest bound below the stable P95 times the margin; of the
stable side's it is fewer. So the answers above that bound are events like others, and their margin is 5 % over the
stable side's share of them; and a canary that surely has less than 5 % of them is within it. The bound is chosen anew
after each stretch, from all that the stable side has answered until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.watch.evidence import LatencyCounts
from penstock.watch.sequential import EventCounts, Floats, Weighed, weigh

SLOW_SHARE: Final = 0.05
MIN_STABLE_ANSWERS: Final = 200
_STEP: Final = 1.1
_MOST_STEPS: Final = 22
"""Margins on the share of slow answers are rounded down to powers of 1.1, up to 8: so few of them are weighed."""


@dataclass(frozen=True)
class LatencyThresholds:
    """After each stretch: arrays of shape (…, T)."""

    p95_ms: Floats
    """Of the stable side, interpolated in its bucket; NaN before :data:`MIN_STABLE_ANSWERS`."""
    bound: NDArray[np.int64]
    """Which bound is looked at; -1 where none can be."""
    steps: NDArray[np.int64]
    """The margin on the share above it, as a power of 1.1."""
    coarse: NDArray[np.bool_]
    """The bounds around P95 are too far apart to show the margin."""
    low_ms: Floats
    """The bucket in which P95 lies."""
    high_ms: Floats


def choose_thresholds(latency: LatencyCounts, *, ratio: float) -> LatencyThresholds:
    """The bound to look at after each stretch.

    P95 lies anywhere in its bucket. Only if the bucket's upper bound is at most ``ratio`` times its lower one does a
    P95 that grows by ``ratio`` leave the bucket for certain.
    """
    bounds = latency.bounds_ms
    below = np.cumsum(np.cumsum(latency.stable, axis=-2), axis=-1)
    total = below[..., -1]
    wanted = (1 - SLOW_SHARE) * total
    bucket = np.sum(below < wanted[..., None], axis=-1)
    inner = np.clip(bucket, 1, len(bounds) - 1)
    low, high = bounds[inner - 1], bounds[inner]
    under, over = (np.take_along_axis(below, place[..., None], -1)[..., 0] for place in (inner - 1, inner))
    part = np.clip((wanted - under) / np.maximum(over - under, 1e-9), 0.0, 1.0)
    p95 = low * (high / low) ** part
    enough = total >= MIN_STABLE_ANSWERS
    coarse = enough & ((bucket != inner) | (high > ratio * low * (1 + 1e-9)))
    bound = np.searchsorted(bounds, ratio * p95 * (1 + 1e-9), side="right") - 1
    above = total - np.take_along_axis(below, bound[..., None], -1)[..., 0]
    margin = SLOW_SHARE * (total + 1) / (above + 1)
    steps = np.floor(np.log(margin) / np.log(_STEP) + 1e-9).astype(np.int64)
    fits = enough & ~coarse & (steps >= 1)
    return LatencyThresholds(
        np.where(enough, p95, np.nan),
        np.where(fits, bound, -1),
        np.clip(steps, 1, _MOST_STEPS),
        coarse | (enough & (steps < 1)),
        np.where(bucket == 0, 0.0, np.where(bucket >= len(bounds), bounds[-1], low)),
        np.where(bucket == 0, bounds[0], np.where(bucket >= len(bounds), np.inf, high)),
    )


def slow_answers(latency: LatencyCounts, bound: int) -> EventCounts:
    """Answers, and those of them that took longer than a bound."""
    return EventCounts(
        latency.canary.sum(axis=-1),
        latency.canary[..., bound + 1 :].sum(axis=-1),
        latency.stable.sum(axis=-1),
        latency.stable[..., bound + 1 :].sum(axis=-1),
    )


def weigh_latency(latency: LatencyCounts, thresholds: LatencyThresholds) -> Weighed:
    """The e-values after each stretch; no evidence where there is no bound to look at."""
    shape = thresholds.bound.shape
    found = Weighed(np.full(shape, -np.inf), np.full(shape, -np.inf), np.ones(shape), np.zeros(shape, dtype=bool))
    code = np.where(thresholds.bound >= 0, thresholds.bound * (_MOST_STEPS + 1) + thresholds.steps, -1)
    for value in np.unique(code[code >= 0]):
        bound, steps = divmod(int(value), _MOST_STEPS + 1)
        looks = code == value
        rows = looks.any(axis=-1)  # of many canaries, those that look there at all
        events = slow_answers(LatencyCounts(latency.bounds_ms, latency.canary[rows], latency.stable[rows]), bound)
        weighed = weigh(events, ratio=_STEP**steps, harmless=SLOW_SHARE, worse_above=SLOW_SHARE / 2)
        for name in ("log_worse", "log_within", "dispersion", "enough"):
            getattr(found, name)[looks] = getattr(weighed, name)[looks[rows]]
    return found


def margin_of(steps: int) -> float:
    """The margin on the share of slow answers."""
    return float(_STEP**steps)
