"""From the samples of counters to what was counted in each stretch, whatever became of the counters meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.watch.evidence import EvidenceError
from penstock.watch.sequential import Floats


@dataclass(frozen=True)
class CounterSeries:
    """One counter's samples at the ends of stretches: shape (T + 1,), the first before the first stretch; NaN: none."""

    labels: Mapping[str, str]
    values: Floats


@dataclass(frozen=True)
class Counted:
    """What the counters of one selector counted."""

    increments: list[Floats]
    """Of each series: shape (T,)."""
    seen: NDArray[np.bool_]
    """Whether there was any sample at the end of a stretch: shape (T,)."""
    resets: int


def count_increments(series: Sequence[CounterSeries]) -> Counted:
    """What each counter counted in each stretch.

    A counter that fell began again at 0. What it counted in a gap is counted where its samples go on: nothing is
    lost. A series that appears beside others that were there began at 0 (the first error of a status); where nothing
    was there before, its first sample only says where it stands.
    """
    stretches = len(series[0].values) - 1
    present = np.array([_valid(one.values) for one in series])
    anything: NDArray[np.bool_] = np.any(present, axis=0)
    begun = int(np.argmax(anything)) if anything.any() else stretches + 1
    found, resets = [], 0
    for one, valid in zip(series, present, strict=True):
        increments, fell = _increments(one.values, valid, begun)
        found.append(increments)
        resets += fell
    return Counted(found, anything[1:], resets)


def sum_of(increments: Sequence[Floats], stretches: int) -> Floats:
    """Their sum; zeros for none."""
    return np.sum(increments, axis=0) if increments else np.zeros(stretches)


def is_error(status: str) -> bool:
    """Whether the text of a status stands for an error: 500 and above, or 0 for no answer.

    Raises:
        EvidenceError: it is none.
    """
    if not status.isascii() or not status.isdigit() or len(status) > 3:
        raise EvidenceError(f"the status label holds '{status[:20]}', which is no HTTP status")
    return int(status) == 0 or int(status) >= 500


def _increments(values: Floats, valid: NDArray[np.bool_], begun: int) -> tuple[Floats, int]:
    """Of one series; and how often it fell."""
    filled = np.where(valid, values, 0.0)
    last = np.maximum.accumulate(np.where(valid, np.arange(len(values)), -1))
    if last[-1] < 0:
        return np.zeros(len(values) - 1), 0
    filled = np.where(last >= 0, filled[np.maximum(last, 0)], 0.0)
    first = int(np.argmax(valid))
    if first <= begun:
        filled[:first] = filled[first]  # where it stands, not what it counted
    steps = np.diff(filled)
    fell = steps < 0
    return np.where(fell, filled[1:], steps), int(np.count_nonzero(fell))


def _valid(values: Floats) -> NDArray[np.bool_]:
    return np.isfinite(values) & (values >= 0)
