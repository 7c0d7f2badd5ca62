"""What the report shows of a service under load, which the step *load* has put there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import LoadPart, MemoryLine, MixedRecord, RequestLine, SaturationRecord, load_parts
from penstock.contract.serving import rate_words
from penstock.report.chart import Chart
from penstock.report.load_charts import (
    GOOD,
    QUANTILE_SHARES,
    MemoryUse,
    Requests,
    distribution,
    growth_words,
    memory,
    over_rates,
    over_time,
    quantile,
)

MAX_SAMPLES = 5


@dataclass(frozen=True)
class LoadSection:
    """The section, for the template."""

    facts: str
    """``20 requests a second for 20 s``."""
    fault: str | None
    """Why no more was measured."""
    rows: list[tuple[str, str]]
    """What was done, and what came of it."""
    charts: list[Chart]
    samples: list[tuple[str, str]]
    """Kind of error, and the message of one of them."""
    beside: bool
    """The released model is in the charts as well."""


def load_section(bundle: Bundle, baseline: Bundle | None) -> LoadSection | None:
    """The section of a bundle; ``None`` if its service was not put under load.

    Raises:
        UsageError: a record is broken.
    """
    parts = load_parts(bundle)
    if not parts:
        return None
    before = load_parts(baseline) if baseline is not None else []
    sides = [("candidate", measured(parts)), ("baseline", measured(before))]
    found = [("candidate", parts), ("baseline", before)]
    held = [use for name, side in found for use in _memory(name, side, [part.memory for part in side])]
    on_cards = [use for name, side in found for use in _memory(name, side, [part.gpu_memory for part in side])]
    on_disk = [use for name, side in found for use in _memory(name, side, [part.files for part in side])]
    rates = [(name, at_rates(side)) for name, side in found]
    charts = [
        *(over_time(sides), distribution(sides), over_rates(rates)),
        *(memory("Memory", held), memory("GPU memory", on_cards), memory("Files", _written(on_disk))),
    ]
    lines = [line for part in parts for line in (part.requests, *(other.requests for other in part.at_rates)) if line]
    samples = {kind: text for line in reversed(lines) for kind, text in line.samples.items()}
    put = [parts[0].rate, *(other.rate for other in parts[0].at_rates)]
    return LoadSection(
        facts=rate_words(put, sum(part.seconds for part in parts)),
        fault=next((part.fault for part in parts if part.fault), None),
        rows=[
            *(_at_each_rate(parts) if parts[0].at_rates else _errors(sides[0][1])),
            *_growth("memory growth", held),
            *_growth("GPU memory growth", on_cards),
            *_growth("growth of files", on_disk),
            *_rows(parts[0], parts[-1]),
        ],
        charts=[chart for chart in charts if chart is not None],
        samples=sorted(samples.items())[:MAX_SAMPLES],
        beside=bool(sides[1][1].at_s),
    )


def measured(parts: Sequence[LoadPart]) -> Requests:
    """The requests after the warm-up, part after part; one without a good answer took the whole timeout."""
    return _measured(parts, [part.requests for part in parts])


def at_rates(parts: Sequence[LoadPart]) -> list[tuple[float, Requests]]:
    """The requests at each rate, by rate; the first of all is among them."""
    if not parts:
        return []
    found = [(parts[0].rate, measured(parts))]
    for other in parts[0].at_rates:
        lines = [next((one.requests for one in part.at_rates if one.rate == other.rate), None) for part in parts]
        found.append((other.rate, _measured(parts, lines)))
    return sorted(found, key=lambda pair: pair[0])


def _measured(parts: Sequence[LoadPart], lines: Sequence[RequestLine | None]) -> Requests:
    found = Requests([], [], [])
    began = 0.0
    for part, line in zip(parts, lines, strict=True):
        if line is None:
            continue
        for due, latency, ending in zip(line.due_s, line.latency_ms, line.ending, strict=True):
            if due >= part.warmup_s - 1e-9:
                found.at_s.append(began + due - part.warmup_s)
                found.latency_ms.append(latency if ending == GOOD else part.timeout_s * 1000)
                found.good.append(ending == GOOD)
        began += part.seconds
    return found


def _memory(name: str, parts: Sequence[LoadPart], lines: Sequence[MemoryLine | None]) -> Iterator[MemoryUse]:
    """A line for each part, one after the other: each has a service of its own."""
    before = 0
    for part, line in zip(parts, lines, strict=True):
        if line is not None and line.done:
            settled = next((place for place, at in enumerate(line.at_s) if at >= part.warmup_s), len(line.at_s))
            yield MemoryUse(name, [before + done for done in line.done], line.mib, settled)
            before += line.done[-1]


def _written(uses: Sequence[MemoryUse]) -> Sequence[MemoryUse]:
    """None of them if no service has written anything: a line along the bottom says nothing."""
    return uses if any(any(use.mib) for use in uses) else []


def _at_each_rate(parts: Sequence[LoadPart]) -> Iterator[tuple[str, str]]:
    for rate, found in at_rates(parts):
        if found.latency_ms:
            p50, p95, p99 = (f"P{share} {quantile(found, share):.1f}" for share in QUANTILE_SHARES)
            yield f"{rate:g} a second", f"{p50}, {p95}, {p99} ms; {found.good.count(False)} without a good answer"


def _errors(found: Requests) -> Iterator[tuple[str, str]]:
    if found.at_s:
        yield "without a good answer", f"{found.good.count(False)} of {len(found.good)} requests"


def _growth(title: str, uses: Sequence[MemoryUse]) -> Iterator[tuple[str, str]]:
    """The candidate's, and the released model's beside it."""
    told = [(side, growth_words(uses, side).removeprefix(", grows by ")) for side in ("candidate", "baseline")]
    known = {side: words for side, words in told if words}
    if "candidate" in known:
        beside = f"; the released model's: {known['baseline']}" if "baseline" in known else ""
        yield title, known["candidate"] + beside


def _rows(first: LoadPart, last: LoadPart) -> Iterator[tuple[str, str]]:
    if (start := first.start) is not None:
        yield "start", _start(start.ready_s, start.true_s, start.too_early)
    if first.requests is not None and first.gpu_memory is None:
        yield "GPU memory", "not measured: no NVIDIA card was there, or the service held nothing of its memory"
    if (mixed := last.mixed) is not None:
        yield "at the same time", _mixed(mixed)
    if (most := last.saturation) is not None:
        yield f"{most.concurrency} at a time", _saturation(most)
    if (over := last.overload) is not None:
        yield "twice the rate", over.problem or f"{over.good} answered, {over.refused} refused in words"
    if (stop := last.stop) is not None:
        ended = f"ended after {stop.ended_s:.1f} s" if stop.ended_s is not None else "did not end, and was killed"
        lost = f"{stop.lost} of {stop.sent} requests lost" + (f" ({stop.sample})" if stop.sample else "")
        yield "SIGTERM under load", f"{lost}; {ended}"
    if (back := last.recovery) is not None:
        came = f"answered again after {back.ready_s:.1f} s" if back.ready_s is not None else "did not answer again"
        yield "kill -9", back.problem or came
    if (oom := last.oom) is not None:
        came = f"answered again after {oom.ready_s or 0.0:.1f} s, {'by itself' if oom.by_itself else 'started again'}"
        yield "out of memory", f"killed: {oom.killed}; {oom.problem or came}"


def _mixed(found: MixedRecord) -> str:
    if not found.requests:
        return "nothing could be compared: answers alone differ each time"
    wrong = f"{found.wrong} of {found.answered} answers wrong" + (f" ({found.sample})" if found.wrong else "")
    return f"{found.at_once} requests: {wrong}; {found.refused} refused, {found.failed} failed"


def _saturation(most: SaturationRecord) -> str:
    answered = f"{most.throughput:.1f} answers a second"
    if most.p50_ms is not None and most.p95_ms is not None and most.p99_ms is not None:
        answered += f"; P50 {most.p50_ms:.1f}, P95 {most.p95_ms:.1f}, P99 {most.p99_ms:.1f} ms"
    return f"{answered}; {most.errors} errors"


def _start(ready_s: float | None, true_s: float | None, too_early: str | None) -> str:
    if ready_s is None:
        return "never ready"
    if too_early is not None:
        return f"said that it was ready after {ready_s:.1f} s, and was not: {too_early}"
    return f"ready after {ready_s:.1f} s" + (f", first answer after {true_s:.1f} s" if true_s is not None else "")
