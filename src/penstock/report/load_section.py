"""What the report shows of a service under load, which the step *load* has put there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penstock.bundle.directory import Bundle
from penstock.bundle.load_record import LoadPart, MemoryLine, load_parts
from penstock.report.load_charts import GOOD, Chart, Requests, distribution, memory, over_time

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
    held = [line for name, side in found for line in _memory(name, [part.memory for part in side])]
    on_cards = [line for name, side in found for line in _memory(name, [part.gpu_memory for part in side])]
    charts = [over_time(sides), distribution(sides), memory("Memory", held), memory("GPU memory", on_cards)]
    samples = {kind: text for part in parts if part.requests for kind, text in part.requests.samples.items()}
    seconds = sum(part.seconds for part in parts)
    return LoadSection(
        facts=f"{parts[0].rate:g} requests a second for {seconds:g} s",
        fault=next((part.fault for part in parts if part.fault), None),
        rows=[row for part in parts[-1:] for row in _rows(parts[0], part)],
        charts=[chart for chart in charts if chart is not None],
        samples=sorted(samples.items())[:MAX_SAMPLES],
        beside=bool(sides[1][1].at_s),
    )


def measured(parts: Sequence[LoadPart]) -> Requests:
    """The requests after the warm-up, part after part; one without a good answer took the whole timeout."""
    found = Requests([], [], [])
    began = 0.0
    for part in parts:
        line = part.requests
        if line is None:
            continue
        for due, latency, ending in zip(line.due_s, line.latency_ms, line.ending, strict=True):
            if due >= part.warmup_s - 1e-9:
                found.at_s.append(began + due - part.warmup_s)
                found.latency_ms.append(latency if ending == GOOD else part.timeout_s * 1000)
                found.good.append(ending == GOOD)
        began += part.seconds
    return found


def _memory(name: str, lines: Sequence[MemoryLine | None]) -> Iterator[tuple[str, list[int], list[float]]]:
    """A line for each part, one after the other: each has a service of its own."""
    before = 0
    for line in lines:
        if line is not None and line.done:
            yield name, [before + done for done in line.done], line.mib
            before += line.done[-1]


def _rows(first: LoadPart, last: LoadPart) -> Iterator[tuple[str, str]]:
    if (start := first.start) is not None:
        yield "start", _start(start.ready_s, start.true_s, start.too_early)
    if first.requests is not None and first.gpu_memory is None:
        yield "GPU memory", "not measured: no NVIDIA card was there, or the service held nothing of its memory"
    if (most := last.saturation) is not None:
        yield f"{most.concurrency} at a time", f"{most.throughput:.1f} answers a second; {most.errors} errors"
    if (over := last.overload) is not None:
        yield "twice the rate", over.problem or f"{over.good} answered, {over.refused} refused in words"
    if (stop := last.stop) is not None:
        ended = f"ended after {stop.ended_s:.1f} s" if stop.ended_s is not None else "did not end, and was killed"
        lost = f"{stop.lost} of {stop.sent} requests lost" + (f" ({stop.sample})" if stop.sample else "")
        yield "SIGTERM under load", f"{lost}; {ended}"
    if (back := last.recovery) is not None:
        came = f"answered again after {back.ready_s:.1f} s" if back.ready_s is not None else "did not answer again"
        yield "kill -9", back.problem or came


def _start(ready_s: float | None, true_s: float | None, too_early: str | None) -> str:
    if ready_s is None:
        return "never ready"
    if too_early is not None:
        return f"said that it was ready after {ready_s:.1f} s, and was not: {too_early}"
    return f"ready after {ready_s:.1f} s" + (f", first answer after {true_s:.1f} s" if true_s is not None else "")
