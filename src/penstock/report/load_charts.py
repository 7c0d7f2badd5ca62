"""Lines of the load's charts: latency over time, its distribution, memory; as shares of their size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.report.chart import Chart, Curve, Tick, joined, place_x, place_y

BUCKETS = 160
"""Points of a line over time: so many columns can be told apart."""
QUANTILES = (*range(99), 99, 99.5, 99.9, 100)
QUANTILE_SHARES = (50, 95, 99)
MIDDLE_SHARE = 95
APART = 6.0
"""Per cent of the width that a label below needs."""
GOOD = 1
"""How :class:`penstock.bundle.load_record.RequestLine` writes a good answer."""


@dataclass(frozen=True)
class Requests:
    """The measured requests of one side, in the order in which they were due."""

    at_s: list[float]
    """From the first of them."""
    latency_ms: list[float]
    good: list[bool]


def over_time(sides: Sequence[tuple[str, Requests]]) -> Chart | None:
    """Median and highest latency of each moment; without any request there is no chart."""
    sides = [(name, found) for name, found in sides if found.at_s]
    if not sides:
        return None
    until = max(found.at_s[-1] for _, found in sides) or 1.0
    scale = _log_scale(value for _, found in sides for value in found.latency_ms)
    curves = []
    for name, found in sides:
        columns = _columns(found, until)
        for kind, pick in ((f"{name} worst", -1), (name, None)):
            points = [(x, values[len(values) // 2 if pick is None else pick]) for x, values in columns]
            curves.append(Curve(joined((x, scale.y(value)) for x, value in points), kind))
    candidate = sides[0][1]
    lost = [at for at, good in zip(candidate.at_s, candidate.good, strict=True) if not good]
    marks = sorted({round(place_x(at / until), 1) for at in lost})
    words = f"Latency over {until:.0f} s: median and highest of each moment; {len(lost)} requests without a good answer"
    seconds = [Tick(place_x(share), f"{until * share:.0f} s") for share in (0.0, 0.5, 1.0)]
    return Chart("Latency while it went on", words, curves, scale.ticks, seconds, marks)


def distribution(sides: Sequence[tuple[str, Requests]]) -> Chart | None:
    """The latency that so many percent of the requests did not exceed."""
    sides = [(name, found) for name, found in sides if found.at_s]
    if not sides:
        return None
    scale = _log_scale(value for _, found in sides for value in found.latency_ms)
    curves = []
    for name, found in sides:
        ordered = sorted(found.latency_ms)
        points = [(place_x(share / 100), scale.y(ordered[_rank(share, len(ordered))])) for share in QUANTILES]
        curves.append(Curve(joined(points), name))
    below = [Tick(place_x(share / 100), f"{share} %") for share in (0, 25, 50, 75, 95)]
    ordered = sorted(sides[0][1].latency_ms)
    told = ", ".join(f"{share} % within {ordered[_rank(share, len(ordered))]:.1f} ms" for share in (50, 95, 99))
    return Chart("How it is distributed", f"Share of requests and their latency: {told}", curves, scale.ticks, below)


def over_rates(sides: Sequence[tuple[str, Sequence[tuple[float, Requests]]]]) -> Chart | None:
    """P50, P95 and P99 at each rate: (side, [(rate, requests)]); with fewer than two rates there is no chart."""
    sides = [(name, [pair for pair in found if pair[1].latency_ms]) for name, found in sides]
    sides = [(name, found) for name, found in sides if len(found) > 1]
    if not sides:
        return None
    most = max(rate for _, found in sides for rate, _ in found)
    scale = _log_scale(
        quantile(requests, share) for _, found in sides for _, requests in found for share in QUANTILE_SHARES
    )
    curves = []
    for name, found in sides:
        for share in QUANTILE_SHARES:
            points = joined((place_x(rate / most), scale.y(quantile(requests, share))) for rate, requests in found)
            curves.append(Curve(points, name if share == MIDDLE_SHARE else f"{name} worst"))
    below: list[Tick] = []
    for rate, _ in sides[0][1]:
        if not below or place_x(rate / most) - below[-1].at >= APART:
            below.append(Tick(place_x(rate / most), f"{rate:g}"))
    told = "; ".join(
        f"{rate:g} a second: {', '.join(f'P{share} {quantile(requests, share):.1f}' for share in QUANTILE_SHARES)} ms"
        for rate, requests in sides[0][1]
    )
    return Chart("By requests a second: P95 thick, P50 and P99 thin", told, curves, scale.ticks, below)


def quantile(found: Requests, share: float) -> float:
    """By nearest rank, as the metrics are."""
    ordered = sorted(found.latency_ms)
    return ordered[_rank(share, len(ordered))]


def memory(title: str, sides: Sequence[tuple[str, Sequence[int], Sequence[float]]]) -> Chart | None:
    """Memory over requests that had ended: (side, requests, MiB)."""
    sides = [(name, done, mib) for name, done, mib in sides if mib]
    if not sides:
        return None
    most = max(max(done) for _, done, _ in sides) or 1
    low, high = (pick(pick(mib) for _, _, mib in sides) for pick in (min, max))
    room = max(high - low, 0.05 * high, 1.0) * 0.1
    low, high = max(0.0, low - room), high + room
    curves = [
        Curve(
            joined((place_x(n / most), place_y((value - low) / (high - low))) for n, value in _thinned(done, mib)), name
        )
        for name, done, mib in sides
    ]
    across = [Tick(place_y(share), f"{low + share * (high - low):.0f} MiB") for share in (0.1, 0.5, 0.9)]
    below = [Tick(place_x(share), f"{most * share:.0f}") for share in (0.0, 0.5, 1.0)]
    first, last = sides[0][2][0], sides[0][2][-1]
    return Chart(f"{title} by requests answered", f"From {first:.0f} to {last:.0f} MiB", curves, across, below)


@dataclass(frozen=True)
class _LogScale:
    """Latencies lie decades apart."""

    low: float
    high: float
    ticks: list[Tick]

    def y(self, value: float) -> float:
        share = math.log10(max(value, 10**self.low)) - self.low
        return place_y(min(1.0, share / (self.high - self.low)))


def _log_scale(values: Iterable[float]) -> _LogScale:
    found = [max(value, 0.01) for value in values]
    low, high = math.log10(min(found)), math.log10(max(found))
    if high - low < 1:  # one decade at least, so that noise does not fill the chart
        low, high = (low + high - 1) / 2, (low + high + 1) / 2
    scale = _LogScale(low, high, [])
    marks = (factor * 10.0**power for power in range(math.floor(low), math.ceil(high) + 1) for factor in (1, 2, 5))
    inside = [value for value in marks if low <= math.log10(value) <= high]
    shown = [value for value in inside if f"{value:e}".startswith("1")] if len(inside) > 5 else inside
    scale.ticks.extend(Tick(scale.y(value), _duration(value)) for value in shown)
    return scale


def _duration(ms: float) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"


def _columns(found: Requests, until: float) -> list[tuple[float, list[float]]]:
    """Place of each moment → the latencies of its requests, sorted."""
    columns: dict[int, list[float]] = {}
    for at, latency in zip(found.at_s, found.latency_ms, strict=True):
        columns.setdefault(min(BUCKETS - 1, int(at / until * BUCKETS)), []).append(latency)
    return [(place_x((column + 0.5) / BUCKETS), sorted(values)) for column, values in sorted(columns.items())]


def _thinned(done: Sequence[int], mib: Sequence[float]) -> list[tuple[int, float]]:
    step = max(1, len(mib) // (2 * BUCKETS))
    kept = list(zip(done, mib, strict=True))
    return kept[::step] + ([kept[-1]] if (len(kept) - 1) % step else [])


def _rank(share: float, count: int) -> int:
    """Nearest rank, counted from 0."""
    return max(0, math.ceil(share / 100 * count) - 1)
