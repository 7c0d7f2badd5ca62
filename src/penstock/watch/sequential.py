"""Weighing events of a canary against those of the stable side, so that one may look as often as one likes.

In each stretch of time both sides serve requests, and some of them end in an event (an error, a slow answer, a
complaint). Given how many events there were in all, as many of them fall on the canary as its share of the requests
says, if it is as good as the stable side. So whatever happens to both at the same time cancels out. Products of
likelihood ratios of these shares are e-processes: if nothing is worse, the chance that one *ever* exceeds 1 / level
is at most the level (Ville 1939; Wald 1945; Robbins 1970; ter Schure and others 2021, "the anytime-valid logrank
test").

Events that come in bursts (retries, a pod's brownout) are fewer than they seem. So the logarithms are divided by the
dispersion: how much more the canary's share varies from stretch to stretch than it would for single events.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MIN_STRETCHES: Final = 3
"""Of fewer nothing is said: one burst of errors may lie across two."""
BURST_STRETCHES: Final = 3
_BURST_FACTOR: Final = 8.0
"""So many stretches in a row, which one brownout may fill, count as evidence by such a factor at most."""
_ALTERNATIVES: Final = ((1.0, 0.8), (2.0, 0.1), (5.0, 0.1))
"""Powers of the margin's ratio that "worse" is made of, and their weights: where the margin itself is met, little is
lost, and an outage is seen at once. With none below 1, what is a little worse than the stable side is not stopped.
"""
_USER_ALTERNATIVES: Final = ((0.75, 0.8), (2.0, 0.1), (5.0, 0.1))
"""The same where a user counts until the first event: who has it often leaves first, so that twice the events of a
request are less than twice the first events. And no burst is left that a smaller alternative would take for worse.
"""
_HARMLESS_SHARE: Final = 0.25
"""What "harmless" is tested against: a rate of this share of the harmless one."""


@dataclass(frozen=True)
class EventCounts:
    """Requests, and those of them that were events, by side and stretch of time: arrays of shape (…, T), T stretches.

    A stretch in which one side has no requests says nothing.
    """

    canary_requests: Floats
    canary_events: Floats
    stable_requests: Floats
    stable_events: Floats


@dataclass(frozen=True)
class Weighed:
    """What the evidence says after each stretch: arrays of shape (…, T), natural logarithms of e-values."""

    log_worse: Floats
    """That the canary is worse than the stable side."""
    log_within: Floats
    """That it is not worse by the margin."""
    dispersion: Floats
    """1 for single events; an event of a burst of n counts 1 / n."""
    enough: NDArray[np.bool_]
    """Whether there are stretches enough to say anything."""


def weigh(
    counts: EventCounts,
    *,
    ratio: float,
    harmless: float = 0.0,
    worse_above: float | None = None,
    by_user: bool = False,
) -> Weighed:
    """The e-values after each stretch.

    Args:
        counts: what happened.
        ratio: the margin, above 1: a canary with so many times the stable side's events is bad.
        harmless: a share of requests, 0 to 1: fewer events than that are no harm, whatever the stable side has.
        worse_above: a canary is not called worse while its share of events is at most this; by default ``harmless``.
        by_user: each user counts until the first event, and not afterwards.
    """
    floor = harmless if worse_above is None else worse_above
    events = counts.canary_events + counts.stable_events
    requests = counts.canary_requests + counts.stable_requests
    share = np.divide(counts.canary_requests, requests, out=np.zeros_like(requests), where=requests > 0)
    both = (counts.canary_requests > 0) & (counts.stable_requests > 0)
    canary = np.where(both, counts.canary_events, 0.0)
    events = np.where(both, events, 0.0)
    served_by_canary = np.where(both, counts.canary_requests, 0.0)
    mostly_canary = 2 * np.cumsum(canary, axis=-1) > np.cumsum(events, axis=-1)
    shared, alone = _dispersion(canary, events, share), _own_dispersion(canary, served_by_canary)
    dispersion = np.where(mostly_canary, alone, shared)
    worse = rest = np.full(canary.shape, -np.inf)
    for power, weight in _USER_ALTERNATIVES if by_user else _ALTERNATIVES:
        gain = _log_ratio(canary, events, share, ratio**power)
        worse = np.logaddexp(worse, gain / dispersion + math.log(weight))
        rest = np.logaddexp(rest, (gain - _best_burst(gain)) / dispersion + math.log(weight))
    worse = np.minimum(worse, rest + math.log(_BURST_FACTOR))
    within = -_log_ratio(canary, events, share, ratio) / dispersion
    served = np.cumsum(served_by_canary, axis=-1)
    if harmless > 0:
        rare = served * harmless * (1 - _HARMLESS_SHARE) + np.cumsum(canary, axis=-1) * math.log(_HARMLESS_SHARE)
        within = np.logaddexp(within, rare / dispersion) - math.log(2)
    worse = np.where(np.cumsum(canary, axis=-1) > floor * served, worse, np.minimum(worse, 0.0))
    enough = np.cumsum(both, axis=-1) >= MIN_STRETCHES
    return Weighed(worse, within, dispersion, enough)


def growth_within(*, rate: float, share: float, ratio: float, harmless: float = 0.0) -> float:
    """How much the logarithm of "not worse by the margin" grows with one canary request, if the canary is as good.

    Args:
        rate: events of a request on the stable side, 0 to 1.
        share: the canary's share of the requests, 0 to 1.
        ratio: as for :func:`weigh`.
        harmless: as for :func:`weigh`.
    """
    growth = 0.0
    if 0 < share < 1:
        growth = rate * (math.log1p(share * (ratio - 1)) / share - math.log(ratio))
    if harmless > 0:
        growth = max(growth, harmless * (1 - _HARMLESS_SHARE) + rate * math.log(_HARMLESS_SHARE))
    return growth


def _log_ratio(canary: Floats, events: Floats, share: Floats, ratio: float) -> Floats:
    """Log-likelihood ratio of "the canary has ``ratio`` times the events of a request" to "as many", cumulated."""
    gain: Any = canary * math.log(ratio) - events * np.log1p(share * (ratio - 1))
    return np.cumsum(gain, axis=-1)


def _best_burst(gain: Floats) -> Floats:
    """The most that stretches in a row have added, up to each stretch."""
    before = np.zeros_like(gain)
    before[..., BURST_STRETCHES:] = gain[..., :-BURST_STRETCHES]
    return np.maximum.accumulate(np.maximum(gain - before, 0.0), axis=-1)


def _own_dispersion(canary: Floats, requests: Floats) -> Floats:
    """The same of the canary's events around its own mean rate, where most of all events are the canary's.

    Then the share of the requests, which varies from stretch to stretch, hardly moves the share of the events any more:
    around a multiple of it, a canary that alone fails looks as if it failed in bursts, however steadily it does.
    """
    seen = requests > 0
    number, served = np.cumsum(canary, axis=-1), np.cumsum(requests, axis=-1)
    rate = np.divide(number, served, out=np.zeros_like(served), where=served > 0)
    squares = np.cumsum(np.divide(canary * canary, requests, out=np.zeros_like(requests), where=seen), axis=-1)
    stretches = np.cumsum(seen, axis=-1)
    freedom = np.maximum(stretches - 1, 1)
    variance = np.maximum(rate * (1 - rate), 1e-12)
    found = np.maximum(squares - rate * number, 0.0) / variance / freedom
    rarity = np.cumsum(np.divide(1.0, requests, out=np.zeros_like(requests), where=seen), axis=-1) / variance
    chance = np.sqrt(2 * stretches + rarity) / freedom
    several = np.cumsum(canary > 0, axis=-1) > 1  # one alone is a burst already, and counts as one
    return np.where(several & (found > 1 + chance), np.maximum(found, 1.0), 1.0)


def _dispersion(canary: Floats, events: Floats, share: Floats) -> Floats:
    """Pearson's statistic of the canary's events around its own mean share, over its degrees of freedom; at least 1.

    It counts where it exceeds 1 by more than one standard deviation of what chance alone makes of it: else single
    events would often be taken for bursts.
    """
    expected, variance = events * share, events * share * (1 - share)
    seen = variance > 0
    safe = np.where(seen, variance, 1.0)
    total = np.cumsum(expected, axis=-1)
    worse = np.divide(np.cumsum(np.where(seen, canary, 0.0), axis=-1), total, out=np.zeros_like(total), where=total > 0)
    squares = np.cumsum(np.where(seen, canary * canary / safe, 0.0), axis=-1)
    products = np.cumsum(np.where(seen, canary * expected / safe, 0.0), axis=-1)
    norms = np.cumsum(np.where(seen, expected * expected / safe, 0.0), axis=-1)
    misfit = squares - 2 * worse * products + worse * worse * norms
    number = np.cumsum(events, axis=-1)
    mean_share = np.divide(total, number, out=np.zeros_like(total), where=number > 0)
    # the variance is of a share that is ``worse`` times as large as by the requests alone
    narrowed = np.clip((1 - worse * mean_share) / np.maximum(1 - mean_share, 1e-9), 1e-3, None)
    factor = np.maximum(worse * narrowed, 1e-12)
    stretches = np.cumsum(seen, axis=-1)
    freedom = np.maximum(stretches - 1, 1)
    found = misfit / factor / freedom
    rarity = np.cumsum(np.where(seen, 1 / safe, 0.0), axis=-1) / factor
    chance = np.sqrt(2 * stretches + rarity) / freedom
    counts = (worse > 0) & (stretches > 1) & (found > 1 + chance)
    return np.where(counts, np.maximum(found, 1.0), 1.0)
