"""Pairs of probes: one case put to the canary and to the stable side, one directly after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from penstock.watch.sequential import Floats

SideName = Literal["canary", "stable"]


@dataclass(frozen=True)
class ProbeAnswer:
    """What one side made of a case."""

    latency_ms: float | None
    """From the request to the whole answer, above 0; ``None`` where it failed."""
    error: str | None = None
    """Why there is no good answer."""

    @property
    def failed(self) -> bool:
        """Whether there is no good answer."""
        return self.error is not None


@dataclass(frozen=True)
class ProbePair:
    """One case, put to both sides."""

    time: float
    """Unix seconds: when both had answered."""
    case: str
    first: SideName
    """Which side was asked first; drawn by lot."""
    canary: ProbeAnswer
    stable: ProbeAnswer
    compared: bool = False
    """Whether the canary's answer was compared with the one on record."""
    differs: str | None = None
    """How it differs from that by more than the limits; ``None``: it does not, or was not compared."""


@dataclass(frozen=True)
class ProbeCounts:
    """How many pairs of each stretch of time were what: arrays of shape (…, T), T stretches."""

    pairs: Floats
    """Those that at least one side answered. A pair that both fail tells nothing of the difference."""
    canary_failed: Floats
    """The canary alone."""
    stable_failed: Floats
    """The stable side alone."""
    timed: Floats
    """Those that both answered."""
    slow: Floats
    """Of these: where the canary took longer by more than the square root of the margin."""
    checked: Floats
    """Answers of the canary that were compared with those on record."""
    wrong: Floats
    """Of these: those that differ."""

    @property
    def stretches(self) -> int:
        """T."""
        return int(self.pairs.shape[-1])


def slow_from(ratio: float) -> float:
    """How many times as long a canary takes in a pair that counts as slow: half way, in logarithms, to the margin."""
    return math.sqrt(ratio)


def count_pairs(pairs: Sequence[ProbePair], *, start: float, end: float, stretch_s: float, ratio: float) -> ProbeCounts:
    """Count pairs by stretch, from ``start`` on; the stretch that ``end`` cuts is left out.

    Args:
        pairs: in any order.
        start: Unix seconds; where the warm-up ends.
        end: Unix seconds; up to which the pairs are known.
        stretch_s: the length of a stretch, above 0.
        ratio: the margin on latency, above 1.
    """
    stretches = max(0, int((end - start) // stretch_s))
    counts = {name: np.zeros(stretches) for name in ProbeCounts.__dataclass_fields__}
    for pair in pairs:
        place = math.floor((pair.time - start) / stretch_s)
        if not 0 <= place < stretches:
            continue
        for name in _kinds(pair, slow_from(ratio)):
            counts[name][place] += 1
    return ProbeCounts(**counts)


def _kinds(pair: ProbePair, slow: float) -> list[str]:
    """What a pair counts as."""
    found = ["checked"] * pair.compared + ["wrong"] * (pair.differs is not None)
    if pair.canary.failed and pair.stable.failed:
        return found
    found.append("pairs")
    if pair.canary.failed:
        return [*found, "canary_failed"]
    if pair.stable.failed:
        return [*found, "stable_failed"]
    ours, theirs = pair.canary.latency_ms, pair.stable.latency_ms
    if ours is None or theirs is None:
        return found
    return [*found, "timed", "slow"] if ours > slow * theirs else [*found, "timed"]
