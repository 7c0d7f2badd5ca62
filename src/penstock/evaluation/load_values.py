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
from penstock.bundle.estimates import StandardError, Tail
from penstock.bundle.load_record import LoadPart, MemoryLine, RequestLine
from penstock.bundle.models import WHOLE_SUITE, Measurement, Resamples
from penstock.contract.policy import MAX_CONFIDENCE
from penstock.contract.serving import Load
from penstock.families.engine_metrics import (
    EARLY_READY,
    FILE_GROWTH,
    GPU_MEMORY_GROWTH,
    LOAD_DROPPED,
    LOAD_ERRORS,
    LOAD_METRICS,
    LOAD_QUANTILES,
    MEMORY_GROWTH,
    MIXED_ANSWERS,
    OOM_RECOVERED,
    OVERLOAD,
    RATE_METRICS,
    RECOVERED,
    SATURATED,
    STARTUP,
    STOP_LOST,
    THROUGHPUT,
    at_rate,
    base_metric,
)
from penstock.families.registry import find_metric
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
    made = load_values(load, parts, ruled)
    names = {metric.name for metric in LOAD_METRICS}
    kept = [found for found in bundle.measurements() if base_metric(found.metric) not in names]
    bundle.write_measurements([*kept, *made])
    return made


def load_values(load: Load, parts: Sequence[LoadPart], ruled: Collection[str] = ()) -> list[Measurement]:
    """One value of each metric that is measured; where a service came to none, the reason.

    A request without a good answer ranks behind every good one, with the whole timeout as its latency. Where no GPU
    memory was held, its growth is there only if a rule asks for it.
    """
    left_out = set() if any(part.gpu_memory for part in parts) else {GPU_MEMORY_GROWTH} - set(ruled)
    made: dict[str, Callable[[Sequence[LoadPart]], _Value]] = {
        **{metric.name: _saturated(metric.name) for metric in SATURATED},
        THROUGHPUT: _throughput,
        STARTUP: _startup,
        EARLY_READY: _early_ready,
        MEMORY_GROWTH: _memory_growth,
        GPU_MEMORY_GROWTH: _gpu_memory_growth,
        FILE_GROWTH: _file_growth,
        OVERLOAD: _overload,
        STOP_LOST: _stop_lost,
        RECOVERED: _recovered,
        OOM_RECOVERED: _oom_recovered,
        MIXED_ANSWERS: _mixed_answers,
    }
    found = _at_a_rate(parts, [part.requests for part in parts])
    found |= {name: make(parts) for name, make in made.items()}
    for rate in load.rate[1:]:
        values = _at_a_rate(parts, [_line_at(part, rate) for part in parts])
        found |= {at_rate(name, rate): value for name, value in values.items()}
    return [
        found[name].measurement(name, known.unit if (known := find_metric(name)) is not None else "")
        for name in load.measured
        if name not in left_out
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


def _line_at(part: LoadPart, rate: float) -> RequestLine | None:
    return next((found.requests for found in part.at_rates if found.rate == rate), None)


def _at_a_rate(parts: Sequence[LoadPart], lines: Sequence[RequestLine | None]) -> dict[str, _Value]:
    """What is measured at a rate; a line for each part."""
    known = [line for line in lines if line is not None]
    names = [metric.name for metric in RATE_METRICS]
    if len(known) < len(parts):
        return {name: _Value(None, _fault(parts)) for name in names}
    pairs = list(zip(parts, known, strict=True))
    dropped = RequestEnding.DROPPED
    return {
        **_quantiles(parts, pairs),
        LOAD_ERRORS: _count(pairs, lambda ending: ending not in (RequestEnding.GOOD, dropped)),
        LOAD_DROPPED: _count(pairs, lambda ending: ending == dropped),
    }


def _measured_from(part: LoadPart, line: RequestLine) -> int:
    return next((index for index, due in enumerate(line.due_s) if due >= part.warmup_s - 1e-9), len(line.due_s))


def _latencies(pairs: Sequence[tuple[LoadPart, RequestLine]]) -> list[float]:
    """Of all measured requests, in the order in which they were due."""
    found: list[float] = []
    for part, line in pairs:
        first = _measured_from(part, line)
        found += [
            latency if ending == RequestEnding.GOOD else part.timeout_s * 1000
            for latency, ending in zip(line.latency_ms[first:], line.ending[first:], strict=True)
        ]
    return found


def _quantiles(parts: Sequence[LoadPart], pairs: Sequence[tuple[LoadPart, RequestLine]]) -> dict[str, _Value]:
    latencies = _latencies(pairs)
    wanted = [(metric.name, metric.quantile or 0.5) for metric in LOAD_QUANTILES]
    if not latencies:
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


def _count(pairs: Sequence[tuple[LoadPart, RequestLine]], wanted: Callable[[int], bool]) -> _Value:
    number, why = 0, None
    for part, line in pairs:
        number += sum(map(wanted, line.ending[_measured_from(part, line) :]))
        why = why or part.fault or next(iter(line.samples.values()), None)
    return _Value(float(number), why if number else None)


def _saturated(metric: str) -> Callable[[Sequence[LoadPart]], _Value]:
    def value(parts: Sequence[LoadPart]) -> _Value:
        if (found := parts[-1].saturation) is None:
            return _Value(None, _fault(parts))
        ms = {"saturated_p50_ms": found.p50_ms, "saturated_p95_ms": found.p95_ms, "saturated_p99_ms": found.p99_ms}
        return _Value(ms[metric], None if ms[metric] is not None else "no request has ended")

    return value


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


def _file_growth(parts: Sequence[LoadPart]) -> _Value:
    return _growth(parts, [part.files for part in parts], "its files")


def _growth(parts: Sequence[LoadPart], lines: Sequence[MemoryLine | None], of: str = "its memory") -> _Value:
    if any(part.requests is None for part in parts):
        return _Value(None, _fault(parts))
    grown = [_growth_of(part, line) for part, line in zip(parts, lines, strict=True)]
    known = [growth for growth in grown if growth is not None]
    if len(known) < len(parts):
        return _Value(None, f"too few requests, or too few samples of {of}, to say how that grows")
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


def _oom_recovered(parts: Sequence[LoadPart]) -> _Value:
    found = parts[-1].oom
    if found is None:
        return _Value(None, _fault(parts))
    return _Value(float(found.problem is None), found.problem)


def _mixed_answers(parts: Sequence[LoadPart]) -> _Value:
    found = parts[-1].mixed
    if found is None:
        return _Value(None, _fault(parts))
    if not found.requests:
        return _Value(0.0, "nothing could be compared: no request gets the same good answer each time when it is alone")
    why = f"of {found.answered} answers, {found.at_once} requests at a time; one was {found.sample}"
    return _Value(float(found.wrong), why if found.wrong else None)
