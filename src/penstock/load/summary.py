"""From what became of each request to the numbers that are reported."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock.foundation.order_statistics import interval_ranks, quantile_rank, upper_rank, values_needed
from penstock.load.timeline import ERRORS, RequestEnding, Timeline

CONFIDENCE: Final = 0.95
LATE_MS: Final = 1.0
"""The generator's own lateness that is spoken of, if it is also a tenth of P95."""
BUSY_SHARE: Final = 0.9
"""Of a core: a generator that used so much may have been what bounded the rate."""


@dataclass(frozen=True)
class GeneratorTiming:
    """How well the generator kept to its times. Its lateness is part of each latency."""

    late_p50_ms: float
    """From the moment at which a request was due to that at which the generator got to it."""
    late_p99_ms: float
    late_max_ms: float
    cpu_share: float
    """CPU seconds of the generator for each second: near 1 it can do no more."""


@dataclass(frozen=True)
class LoadSummary:
    """What was measured. The fields are the keys of ``penstock load --json``; ``docs/load.md`` says what each means."""

    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    p50_interval_ms: tuple[float | None, float | None]
    p95_interval_ms: tuple[float | None, float | None]
    p99_interval_ms: tuple[float | None, float | None]
    p95_upper_ms: float | None
    requests: int
    good: int
    errors: int
    dropped: int
    under_way: int
    errors_by_kind: dict[str, int]
    error_samples: dict[str, str]
    statuses: dict[str, int]
    achieved_rate: float
    throughput: float
    seconds: float
    timeout_ms: float
    connections: int
    failed_connections: int
    resent: int
    interrupted: bool
    generator: GeneratorTiming
    notes: list[str] = field(default_factory=list)


def summarise(timeline: Timeline, *, warm_up_s: float, seconds: float, timeout_s: float) -> LoadSummary:
    """The numbers over all requests that were due after the warm-up.

    A request that failed or was dropped ranks behind every good answer, with the whole timeout as its latency. The two
    rates are over time instead: what was sent, and what was answered well, between the warm-up and the end, whenever it
    was due. Under overload that is all that there is, since answers come long after the requests were due.

    Args:
        timeline: what became of each request.
        warm_up_s: requests that were due before that are left out.
        seconds: the length of what is measured, after the warm-up.
        timeout_s: that of the requests.
    """
    first = next((index for index, due in enumerate(timeline.due) if due >= warm_up_s), len(timeline.due))
    if timeline.interrupted_s is not None:
        seconds = min(seconds, max(0.0, timeline.interrupted_s - warm_up_s))
    measured = range(first, len(timeline.due))
    endings = Counter(RequestEnding(code) for code in timeline.ending[first:])
    ended = [index for index in measured if timeline.ending[index] != RequestEnding.UNDER_WAY]
    latencies = sorted(
        timeline.latency[index] * 1000 if timeline.ending[index] == RequestEnding.GOOD else timeout_s * 1000
        for index in ended
    )
    late = sorted(value * 1000 for value in timeline.late[first:])
    over = warm_up_s + seconds
    sent = sum(warm_up_s <= at < over for at in timeline.sent)
    answered = sum(
        ending == RequestEnding.GOOD and warm_up_s <= due + latency < over
        for due, latency, ending in zip(timeline.due, timeline.latency, timeline.ending, strict=True)
    )
    summary = LoadSummary(
        p50_ms=_quantile(latencies, 0.50),
        p95_ms=_quantile(latencies, 0.95),
        p99_ms=_quantile(latencies, 0.99),
        max_ms=latencies[-1] if latencies else None,
        p50_interval_ms=_interval(latencies, 0.50),
        p95_interval_ms=_interval(latencies, 0.95),
        p99_interval_ms=_interval(latencies, 0.99),
        p95_upper_ms=_at(latencies, upper_rank(len(latencies), 0.95, CONFIDENCE)),
        requests=len(ended),
        good=endings[RequestEnding.GOOD],
        errors=sum(endings[kind] for kind in ERRORS),
        dropped=endings[RequestEnding.DROPPED],
        under_way=endings[RequestEnding.UNDER_WAY],
        errors_by_kind={kind.name.lower(): endings[kind] for kind in ERRORS},
        error_samples={kind.name.lower(): text for kind, text in timeline.samples(first).items()},
        statuses={
            str(status): count for status, count in sorted(Counter(timeline.status[first:]).items()) if status != 0
        },
        achieved_rate=sent / seconds if seconds > 0 else 0.0,
        throughput=answered / seconds if seconds > 0 else 0.0,
        seconds=seconds,
        timeout_ms=timeout_s * 1000,
        connections=timeline.connections,
        failed_connections=timeline.failed_connections,
        resent=sum(index >= first for index in timeline.resent),
        interrupted=timeline.interrupted_s is not None,
        generator=GeneratorTiming(
            late_p50_ms=_quantile(late, 0.50) or 0.0,
            late_p99_ms=_quantile(late, 0.99) or 0.0,
            late_max_ms=late[-1] if late else 0.0,
            cpu_share=timeline.cpu_share,
        ),
    )
    summary.notes.extend(_notes(summary))
    return summary


def _at(values: Sequence[float], rank: int | None) -> float | None:
    return values[rank - 1] if rank is not None and values else None


def _quantile(values: Sequence[float], q: float) -> float | None:
    return _at(values, quantile_rank(len(values), q))


def _interval(values: Sequence[float], q: float) -> tuple[float | None, float | None]:
    low, high = interval_ranks(len(values), q, CONFIDENCE)
    return _at(values, low), _at(values, high)


def _notes(summary: LoadSummary) -> list[str]:
    """What a reader of the numbers must know, in words."""
    found = []
    if not summary.requests:
        found.append("nothing was measured: no request that was due after the warm-up has ended")
    lost = summary.errors + summary.dropped
    if lost:
        found.append(
            f"{lost} of {summary.requests} requests came to no good answer; they count with the whole timeout, "
            f"{summary.timeout_ms:g} ms"
        )
    if summary.requests and summary.p95_interval_ms[1] is None:
        needed = values_needed(0.95, (1 + CONFIDENCE) / 2)
        found.append(f"an upper end of P95's interval needs at least {needed} requests, here are {summary.requests}")
    timing = summary.generator
    if timing.late_p99_ms > max(LATE_MS, (summary.p95_ms or math.inf) / 10):
        found.append(
            f"the generator itself was late by {timing.late_p99_ms:.1f} ms at P99 (and used {timing.cpu_share:.0%} of "
            "a core), which is part of the latencies: this machine is too busy, or the rate too high for it"
        )
    if timing.cpu_share >= BUSY_SHARE:
        found.append(
            f"the generator itself used {timing.cpu_share:.0%} of a core: the rate may be the most that it can send, "
            "not the most that the service can answer, and its own work is part of the latencies"
        )
    if summary.resent:
        found.append(
            f"{summary.resent} requests were sent again, since the service had closed the connection that it had "
            "kept open"
        )
    if summary.under_way:
        found.append(f"{summary.under_way} requests were under way when it was interrupted, and are left out")
    return found
