"""The evidence: what both sides served in each stretch of time, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock.watch.sequential import EventCounts, Floats

FINE_BOUNDS_MS: Final = np.exp(np.arange(0, 182) * np.log(1.1)) * 0.1
"""Of requests whose latency is known itself: from 0.1 ms to over an hour in steps of 10 %."""


class EvidenceError(Exception):
    """There is no evidence, or none to decide by: why, in one line. Never a verdict by itself: the watch goes on."""


class NoTrafficError(EvidenceError):
    """The stable side is counted, and the canary is not: nobody has met it yet, or its selector is misspelt."""


@dataclass(frozen=True)
class LatencyCounts:
    """How many answers took how long, by stretch: arrays of shape (T, B + 1) for B bounds; the last column is above.

    Leading dimensions may stand before T.
    """

    bounds_ms: Floats
    canary: Floats
    stable: Floats


@dataclass(frozen=True)
class LiveEvidence:
    """T stretches of equal length, the warm-up left out. A stretch that one side has no data of has no requests."""

    start: float
    """Of the first stretch, Unix seconds."""
    stretch_s: float
    errors: EventCounts
    """Of users that are known, each counts until the first request that fails, and not afterwards."""
    latency: LatencyCounts | None = None
    feedback: EventCounts | None = None
    canary_requests: int = 0
    """In all, before users are counted once."""
    canary_users: int | None = None
    """How many met the canary; ``None``: users are not known."""
    notes: tuple[str, ...] = field(default=())
    """What a reader must know: counters reset, stretches left out."""

    @property
    def stretches(self) -> int:
        """T."""
        return int(self.errors.canary_requests.shape[-1])


@dataclass(frozen=True)
class RequestTable:
    """Single requests: arrays of shape (n,), sorted by time."""

    time: Floats
    """Unix seconds."""
    canary: NDArray[np.bool_]
    """Whether the canary served it."""
    user: NDArray[np.int64]
    """A number for each user; -1 where the user is not known."""
    failed: NDArray[np.bool_]
    latency_ms: Floats
    """NaN where it is not known."""
    complained: NDArray[np.bool_] | None
    """Whether the user said that the answer was bad; ``None``: nobody was asked."""
    asked: tuple[bool, bool] = (True, True)
    """Whether anybody said anything, bad or good, of the canary's answers, and of the stable side's."""


def tabulate(requests: RequestTable, *, start: float, end: float, stretch_s: float) -> LiveEvidence:
    """Count requests by stretch, from ``start`` on; the stretch that ``end`` cuts is left out.

    A user is one unit, however often a failed request is tried again: of each user the first failure counts, and no
    request after it; likewise the first complaint. Of latencies, each user's first in each stretch counts.

    Args:
        requests: all that are known.
        start: Unix seconds; where the warm-up ends.
        end: Unix seconds; up to which the requests are known.
        stretch_s: the length of a stretch.
    """
    stretches = max(0, int((end - start) // stretch_s))
    index = np.floor((requests.time - start) / stretch_s)
    within = (index >= 0) & (index < stretches)
    part = RequestTable(
        requests.time[within],
        requests.canary[within],
        requests.user[within],
        requests.failed[within],
        requests.latency_ms[within],
        None if requests.complained is None else requests.complained[within],
        requests.asked,
    )
    place = index[within].astype(np.int64)
    known = part.user >= 0
    users = len(np.unique(part.user[known & part.canary])) if known.all() and known.size else None
    return LiveEvidence(
        start,
        stretch_s,
        errors=_first_events(part, part.failed, place, stretches),
        latency=_latencies(part, place, stretches),
        feedback=None if part.complained is None else _complaints(part, part.complained, place, stretches),
        canary_requests=int(np.count_nonzero(part.canary)),
        canary_users=users,
    )


def _complaints(
    part: RequestTable, complained: NDArray[np.bool_], place: NDArray[np.int64], stretches: int
) -> EventCounts:
    """Users' first complaints; where nobody of a side is asked they are not content: it has no requests then."""
    counts = _first_events(part, complained, place, stretches)
    canary, stable = (float(asked) for asked in part.asked)
    return EventCounts(
        counts.canary_requests * canary,
        counts.canary_events * canary,
        counts.stable_requests * stable,
        counts.stable_events * stable,
    )


def _first_events(
    part: RequestTable, event: NDArray[np.bool_], place: NDArray[np.int64], stretches: int
) -> EventCounts:
    """Requests up to each user's first event, and those events."""
    order = np.arange(len(part.user))
    counted = np.ones(len(part.user), dtype=bool)
    where = np.flatnonzero(event & (part.user >= 0))
    if where.size:
        users, first = np.unique(part.user[where], return_index=True)
        last = np.full(int(part.user.max()) + 1, len(part.user))
        last[users] = where[first]
        counted = (part.user < 0) | (order <= last[np.maximum(part.user, 0)])
    return EventCounts(
        *(
            np.bincount(place[counted & side & kind], minlength=stretches).astype(np.float64)
            for side in (part.canary, ~part.canary)
            for kind in (np.ones_like(event), event)
        )
    )


def _latencies(part: RequestTable, place: NDArray[np.int64], stretches: int) -> LatencyCounts | None:
    """Latencies of requests that did not fail, the first of each user in each stretch."""
    good = ~part.failed & np.isfinite(part.latency_ms)
    if not good.any():
        return None
    anonymous = np.flatnonzero(good & (part.user < 0))
    named = np.flatnonzero(good & (part.user >= 0))
    _, first = np.unique(part.user[named] * max(stretches, 1) + place[named], return_index=True)
    counted = np.concatenate([anonymous, named[first]])
    column = np.searchsorted(FINE_BOUNDS_MS, part.latency_ms[counted], side="left")
    width = len(FINE_BOUNDS_MS) + 1
    cell = place[counted] * width + column
    canary = part.canary[counted]
    found = [
        np.bincount(cell[side], minlength=stretches * width).reshape(stretches, width).astype(np.float64)
        for side in (canary, ~canary)
    ]
    return LatencyCounts(FINE_BOUNDS_MS, found[0], found[1])
