"""Weighing pairs of probes, so that one may look as often as one likes.

Which side is asked first is drawn by lot, and so is the case. So if the canary fails no more often than the stable
side, then of the pairs that exactly one side fails, it is the canary at most every second time (McNemar 1947): a coin
to bet against, whatever the cases are and however many of them both sides fail. Likewise for latency: if the canary
takes at most √margin times as long in the median, then at most every second pair is slow; if it takes longer, at least
every second one is. And for the answers: a share of them that is at most, or at least, the one that does no harm.

The bets are those of :mod:`penstock.watch.sequential`: mixtures of likelihood ratios, e-processes each. A burst counts
there by a limited factor, and where failures come in bursts, one counts less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.watch.probe_pairs import ProbeCounts
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.sequential import MIN_STRETCHES, EventCounts, Floats, Weighed, growth_within, weigh

ProbeSignalName = Literal["errors", "latency", "answers"]
_SLOW_ODDS: Final = 1.6
"""Where times vary by half, a canary that is slower by the margin is so in three of five pairs: what is bet on."""
_GOOD_SHARE: Final = 0.25
"""A canary without a fault has less than this part of the harmless share of wrong answers: what is bet on."""
_WRONG_SHARES: Final = ((0.2, 0.4), (0.5, 0.2), (0.95, 0.4))
"""Shares of wrong answers that are bet on, each moved up from the harmless one, and their weights."""


@dataclass(frozen=True)
class ProbeLooks:
    """After each stretch: arrays of shape (…, T)."""

    bad: NDArray[np.bool_]
    good: NDArray[np.bool_]
    by_signal: dict[ProbeSignalName, Weighed]


def probe_signals(policy: ProbePolicy) -> list[ProbeSignalName]:
    """What probes are looked at for."""
    return ["errors", "latency", "answers"] if policy.compares else ["errors", "latency"]


def weigh_probes(counts: ProbeCounts, policy: ProbePolicy) -> dict[ProbeSignalName, Weighed]:
    """The e-values of each signal after each stretch."""
    failures = EventCounts(counts.pairs, counts.canary_failed, counts.pairs, counts.stable_failed)
    found: dict[ProbeSignalName, Weighed] = {
        "errors": weigh(failures, ratio=policy.errors.ratio, harmless=policy.errors.harmless),
        "latency": _weigh_latency(counts),
    }
    if policy.compares:
        found["answers"] = _weigh_answers(counts, policy.answers.harmless)
    return found


def look_at_probes(counts: ProbeCounts, policy: ProbePolicy, *, level: float, risk: float) -> ProbeLooks:
    """Whether the canary is bad, or good, after each stretch.

    Args:
        counts: what became of the pairs.
        policy: the margins.
        level: the share of unchanged canaries that may be stopped by probes, all their signals together.
        risk: the share of canaries, worse by a margin, that may be called good.
    """
    weighed = weigh_probes(counts, policy)
    worse_from, within_from = math.log(len(weighed) / level), -math.log(risk)
    bad, good = np.zeros(counts.pairs.shape, dtype=bool), np.ones(counts.pairs.shape, dtype=bool)
    for one in weighed.values():
        bad |= one.enough & (one.log_worse >= worse_from)
        good &= one.enough & (one.log_within >= within_from)
    return ProbeLooks(bad, good & ~bad, weighed)


def _weigh_latency(counts: ProbeCounts) -> Weighed:
    """That more than every second pair is slow, and that fewer are: the same bet on either side of a coin."""
    quick = counts.timed - counts.slow
    slower = weigh(EventCounts(counts.timed, counts.slow, counts.timed, quick), ratio=_SLOW_ODDS)
    within = weigh(EventCounts(counts.timed, quick, counts.timed, counts.slow), ratio=_SLOW_ODDS)
    return Weighed(slower.log_worse, within.log_worse, slower.dispersion, slower.enough)


def _weigh_answers(counts: ProbeCounts, harmless: float) -> Weighed:
    """That a larger share of the answers than ``harmless`` is wrong, and that a smaller one is."""
    wrong, right = np.cumsum(counts.wrong, axis=-1), np.cumsum(counts.checked - counts.wrong, axis=-1)
    worse: Floats = np.full(wrong.shape, -np.inf)
    for share, weight in _WRONG_SHARES:
        worse = np.logaddexp(worse, _log_bet(wrong, right, harmless + share * (1 - harmless), harmless, weight))
    within = _log_bet(wrong, right, _GOOD_SHARE * harmless, harmless, 1.0)
    enough = np.cumsum(counts.checked > 0, axis=-1) >= MIN_STRETCHES
    return Weighed(worse, within, np.ones(wrong.shape), enough)


def _log_bet(wrong: Floats, right: Floats, share: float, harmless: float, weight: float) -> Floats:
    """The logarithm of ``weight`` times the likelihood ratio of a share of wrong answers to the harmless one."""
    return math.log(weight) + wrong * math.log(share / harmless) + right * math.log((1 - share) / (1 - harmless))


def probes_needed(
    name: ProbeSignalName, counts: ProbeCounts, weighed: Weighed, policy: ProbePolicy, *, risk: float
) -> int | None:
    """About how many more pairs until a signal is within its margin, if the canary is as good as the stable side.

    Returns:
        0 if it is; ``None``: there is no telling.
    """
    stretches = counts.stretches
    missing = -math.log(risk) - (float(weighed.log_within[-1]) if stretches else 0.0)
    if missing <= 0 and stretches and weighed.enough[-1]:
        return 0
    growth = _growth(name, counts, policy) / (float(weighed.dispersion[-1]) if stretches else 1.0)
    return max(1, math.ceil(max(missing, 0.0) / growth)) if growth > 0 else None


def _growth(name: ProbeSignalName, counts: ProbeCounts, policy: ProbePolicy) -> float:
    """How much "within the margin" grows with one pair, if the canary is as good."""
    if name == "answers":
        return math.log((1 - _GOOD_SHARE * policy.answers.harmless) / (1 - policy.answers.harmless))
    pairs = float(counts.pairs.sum())
    if name == "errors":
        rate = float(counts.stable_failed.sum()) / pairs if pairs else 0.0
        return growth_within(rate=rate, share=0.5, ratio=policy.errors.ratio, harmless=policy.errors.harmless)
    timed = float(counts.timed.sum())
    slow = float(counts.slow.sum()) / timed if timed else 0.0
    odds = math.log(2 * _SLOW_ODDS / (1 + _SLOW_ODDS)), math.log(2 / (1 + _SLOW_ODDS))
    return (1 - slow) * odds[0] + slow * odds[1]
