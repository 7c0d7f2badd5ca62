"""From what was kept of a load to the values that rules judge."""

from __future__ import annotations

import hashlib
import math
import random
import statistics
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import LoadPart, MemoryLine, RequestLine
from penstock.bundle.models import WHOLE_SUITE, Measurement, Resamples, StandardError, Tail
from penstock.contract.policy import MAX_CONFIDENCE
from penstock.contract.serving import Load
from penstock.families.engine_metrics import (
    EARLY_READY,
    GPU_MEMORY_GROWTH,
    LOAD_DROPPED,
    LOAD_ERRORS,
    LOAD_METRICS,
    LOAD_QUANTILES,
    MEMORY_GROWTH,
    OVERLOAD,
    RECOVERED,
    STARTUP,
    STOP_LOST,
    THROUGHPUT,
)
from penstock.foundation.order_statistics import quantile_rank, upper_rank
from penstock.load.growth import STEPS, T_QUANTILE, Growth, growth_per_thousand
from penstock.load.timeline import RequestEnding

RESAMPLES: Final = 1000
MAX_DRAWN: Final = 5_000_000
"""Values that are drawn in all; of many requests there are fewer resamples."""
MIN_RESAMPLES: Final = 100
SEED: Final = 20261126


def add_load_values(bundle: Bundle, load: Load, parts: Sequence[LoadPart], ruled: Collection[str]) -> list[Measurement]:
    """Put what came of a load among the measurements, in place of an earlier one; returns these values.

    Args:
        bundle: whose ``measurements.jsonl`` is there.
        load: the contract's.
        parts: all parts of the load, in their order.
        ruled: metrics that the policy has rules for.
    """
    found = load_values(load, parts, ruled)
    names = {metric.name for metric in LOAD_METRICS}
    kept = [measurement for measurement in bundle.measurements() if measurement.metric not in names]
    bundle.write_measurements([*kept, *found])
    return found


def load_values(load: Load, parts: Sequence[LoadPart], ruled: Collection[str] = ()) -> list[Measurement]:
    """One value of each metric that is measured; where a service came to none, the reason.

    A request without a good answer ranks behind every good one, with the whole timeout as its latency. Where no GPU
    memory was held, its growth is there only if a rule asks for it.
    """
    left_out = set() if any(part.gpu_memory for part in parts) else {GPU_MEMORY_GROWTH} - set(ruled)
    made: dict[str, Callable[[Sequence[LoadPart]], _Value]] = {
        LOAD_ERRORS: _errors,
        LOAD_DROPPED: _dropped,
        THROUGHPUT: _throughput,
        STARTUP: _startup,
        EARLY_READY: _early_ready,
        MEMORY_GROWTH: _memory_growth,
        GPU_MEMORY_GROWTH: _gpu_memory_growth,
        OVERLOAD: _overload,
        STOP_LOST: _stop_lost,
        RECOVERED: _recovered,
    }
    found = _quantiles(parts)
    return [
        (found[metric.name] if metric.name in found else made[metric.name](parts)).measurement(metric.name, metric.unit)
        for metric in LOAD_METRICS
        if metric.name in load.measured and metric.name not in left_out
    ]


@dataclass(frozen=True)
class _Value:
    value: float | None
    why: str | None = None
    resamples: Resamples | None = None
    tail: Tail | None = None
    standard_error: StandardError | None = None

    def measurement(self, name: str, unit: str) -> Measurement:
        return Measurement(
            case=WHOLE_SUITE,
            metric=name,
            value=self.value,
            unit=unit,
            error=self.why,
            resamples=self.resamples,
            tail=self.tail,
            standard_error=self.standard_error,
        )


def _fault(parts: Sequence[LoadPart]) -> str:
    """Why there is no value."""
    return next((part.fault for part in parts if part.fault), "it was not measured")


def _measured_from(part: LoadPart, line: RequestLine) -> int:
    return next((index for index, due in enumerate(line.due_s) if due >= part.warmup_s - 1e-9), len(line.due_s))


def _latencies(parts: Sequence[LoadPart]) -> list[float]:
    """Of all measured requests, in the order in which they were due."""
    found: list[float] = []
    for part in parts:
        if (line := part.requests) is not None:
            first = _measured_from(part, line)
            found += [
                latency if ending == RequestEnding.GOOD else part.timeout_s * 1000
                for latency, ending in zip(line.latency_ms[first:], line.ending[first:], strict=True)
            ]
    return found


def _quantiles(parts: Sequence[LoadPart]) -> dict[str, _Value]:
    latencies = _latencies(parts)
    wanted = [(metric.name, metric.quantile or 0.5) for metric in LOAD_QUANTILES]
    if not latencies or any(part.requests is None for part in parts):
        return {name: _Value(None, _fault(parts)) for name, _ in wanted}
    ordered = sorted(latencies)
    resamples = _resampled(latencies, [share for _, share in wanted])
    return {
        name: _Value(
            ordered[quantile_rank(len(ordered), share) - 1],
            resamples=resamples[share],
            tail=_tail(ordered, share),
        )
        for name, share in wanted
    }


def _tail(ordered: Sequence[float], share: float) -> Tail:
    last = upper_rank(len(ordered), share, MAX_CONFIDENCE) or len(ordered)
    return Tail(quantile=share, count=len(ordered), values=ordered[quantile_rank(len(ordered), share) - 1 : last])


def _resampled(latencies: Sequence[float], shares: Sequence[float]) -> dict[float, Resamples]:
    """Quantiles of resamples, in blocks of requests that followed each other: one stall makes several late.

    The draws depend on the number of requests alone: two sides with the same number draw the same requests.
    """
    count = len(latencies)
    length = max(1, round(count ** (1 / 3)))
    times = max(MIN_RESAMPLES, min(RESAMPLES, MAX_DRAWN // count))
    draws = random.Random(SEED)  # noqa: S311 (no secret)
    ring = [*latencies, *latencies[: length - 1]]
    blocks = math.ceil(count / length)
    found: dict[float, list[float]] = {share: [] for share in shares}
    for _ in range(times):
        drawn: list[float] = []
        for _ in range(blocks):
            begin = draws.randrange(count)
            drawn += ring[begin : begin + length]
        drawn = sorted(drawn[:count])
        for share in shares:
            found[share].append(drawn[quantile_rank(count, share) - 1])
    key = hashlib.sha256(f"load: {count} requests, blocks of {length}, {times} times, {SEED}".encode()).hexdigest()
    return {share: Resamples(cases=count, key=key, values=values) for share, values in found.items()}


def _count(parts: Sequence[LoadPart], wanted: Callable[[int], bool]) -> _Value:
    if any(part.requests is None for part in parts):
        return _Value(None, _fault(parts))
    number, why = 0, None
    for part in parts:
        line = part.requests or RequestLine()
        number += sum(map(wanted, line.ending[_measured_from(part, line) :]))
        why = why or part.fault or next(iter(line.samples.values()), None)
    return _Value(float(number), why if number else None)


def _errors(parts: Sequence[LoadPart]) -> _Value:
    return _count(parts, lambda ending: ending not in (RequestEnding.GOOD, RequestEnding.DROPPED))


def _dropped(parts: Sequence[LoadPart]) -> _Value:
    return _count(parts, lambda ending: ending == RequestEnding.DROPPED)


def _throughput(parts: Sequence[LoadPart]) -> _Value:
    found = parts[-1].saturation
    return _Value(found.throughput) if found is not None else _Value(None, _fault(parts))


def _startup(parts: Sequence[LoadPart]) -> _Value:
    times = [part.start.true_s for part in parts if part.start is not None and part.start.true_s is not None]
    return _Value(statistics.fmean(times)) if len(times) == len(parts) else _Value(None, _fault(parts))


def _early_ready(parts: Sequence[LoadPart]) -> _Value:
    starts = [part.start for part in parts if part.start is not None]
    if not starts or all(start.ready_s is None for start in starts):
        return _Value(None, _fault(parts))
    lie = next((start for start in starts if start.too_early is not None), None)
    if lie is None:
        return _Value(0.0)
    return _Value(1.0, f"it said that it was ready after {lie.ready_s or 0.0:.1f} s, and was not: {lie.too_early}")


def _memory_growth(parts: Sequence[LoadPart]) -> _Value:
    return _growth(parts, [part.memory for part in parts])


def _gpu_memory_growth(parts: Sequence[LoadPart]) -> _Value:
    if all(part.requests is not None and part.gpu_memory is None for part in parts):
        return _Value(None, "not measured: no NVIDIA card was there, or the service held nothing of its memory")
    return _growth(parts, [part.gpu_memory for part in parts])


def _growth(parts: Sequence[LoadPart], lines: Sequence[MemoryLine | None]) -> _Value:
    if any(part.requests is None for part in parts):
        return _Value(None, _fault(parts))
    grown = [_growth_of(part, line) for part, line in zip(parts, lines, strict=True)]
    known = [growth for growth in grown if growth is not None]
    if len(known) < len(parts):
        return _Value(None, "too few requests, or too few samples of its memory, to say how it grows")
    errors = [(growth.interval[1] - growth.per_thousand) / T_QUANTILE for growth in known]
    return _Value(
        statistics.fmean(growth.per_thousand for growth in known),
        standard_error=StandardError(
            error=math.sqrt(sum(error**2 for error in errors)) / len(known), freedom=(STEPS - 1) * len(known)
        ),
    )


def _growth_of(part: LoadPart, line: MemoryLine | None) -> Growth | None:
    if line is None:
        return None
    first = next((index for index, at in enumerate(line.at_s) if at >= part.warmup_s), len(line.at_s))
    return growth_per_thousand(line.done[first:], line.mib[first:])


def _overload(parts: Sequence[LoadPart]) -> _Value:
    found = parts[-1].overload
    if found is None:
        return _Value(None, _fault(parts))
    return _Value(float(found.problem is not None), found.problem)


def _stop_lost(parts: Sequence[LoadPart]) -> _Value:
    found = parts[-1].stop
    if found is None:
        return _Value(None, _fault(parts))
    if found.ended_s is None:
        return _Value(None, "it did not end after SIGTERM in the time that it had ('load.stop_s'), and was killed")
    return _Value(float(found.lost), found.sample or None if found.lost else None)


def _recovered(parts: Sequence[LoadPart]) -> _Value:
    found = parts[-1].recovery
    if found is None:
        return _Value(None, _fault(parts))
    return _Value(float(found.problem is None), found.problem)
