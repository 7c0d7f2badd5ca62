"""Lines of the load's charts: latency over time, its distribution, memory; as shares of their size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from penstock.load.growth import Growth, growth_per_thousand
from penstock.report.chart import Chart, Curve, Tick, joined, place_x, place_y

BUCKETS = 160
"""Points of a line over time: so many columns can be told apart."""
QUANTILES = (*range(91), *(90 + n / 4 for n in range(1, 37)), 99.3, 99.5, 99.7, 99.8, 99.9, 99.95, 100)
SHARES = (50, 95, 99, 99.9)
"""Below the distribution, in percent; as far as there are so many requests."""
MOST_NINES = 3.0
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
    tail = _Tail(max(len(found.at_s) for _, found in sides))
    curves = []
    for name, found in sides:
        ordered = sorted(found.latency_ms)
        points = [(tail.x(share), scale.y(ordered[_rank(share, len(ordered))])) for share in QUANTILES]
        curves.append(Curve(joined(points), name))
    below = [Tick(tail.x(share), f"{share} %") for share in SHARES if 100 / (100 - share) <= tail.count]
    ordered = sorted(sides[0][1].latency_ms)
    told = ", ".join(f"{share} % within {ordered[_rank(share, len(ordered))]:.1f} ms" for share in (50, 95, 99))
    words = f"Share of requests and their latency: {told}"
    return Chart("How it is distributed", words, curves, scale.ticks, below, along="of the requests are no slower")


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


@dataclass(frozen=True)
class MemoryUse:
    """Memory of one service, from its first request to its last.

    Attributes:
        side: ``candidate`` or ``baseline``.
        done: requests that had ended, for each sample, those to services before it counted in.
        mib: what was held.
        settled: the first sample after the warm-up.
    """

    side: str
    done: Sequence[int]
    mib: Sequence[float]
    settled: int = 0

    @property
    def growth(self) -> Growth | None:
        """In MiB for each 1,000 requests; ``None``: there are too few samples."""
        return growth_per_thousand(self.done[self.settled :], self.mib[self.settled :])


def memory(title: str, uses: Sequence[MemoryUse]) -> Chart | None:
    """Memory over requests that had ended, with its growth as a dashed line."""
    uses = [use for use in uses if use.mib]
    if not uses:
        return None
    most = max(max(use.done) for use in uses) or 1
    low, high = (pick(pick(use.mib) for use in uses) for pick in (min, max))
    room = max(high - low, 0.05 * high, 1.0) * 0.1
    low, high = max(0.0, low - room), high + room

    def place(done: float, mib: float) -> tuple[float, float]:
        return place_x(done / most), place_y(min(1.0, max(0.0, (mib - low) / (high - low))))

    curves = [Curve(joined(place(n, value) for n, value in _thinned(use.done, use.mib)), use.side) for use in uses]
    curves += [
        Curve(joined(place(*end) for end in _slope(use, growth)), f"{use.side} slope")
        for use in uses
        if (growth := use.growth) is not None
    ]
    across = [Tick(place_y(share), f"{low + share * (high - low):.0f} MiB") for share in (0.1, 0.5, 0.9)]
    below = [Tick(place_x(share), f"{most * share:.0f}") for share in (0.0, 0.5, 1.0)]
    first, last = uses[0].mib[0], uses[0].mib[-1]
    words = f"From {first:.0f} to {last:.0f} MiB{growth_words(uses, uses[0].side)}"
    return Chart(f"{title} by requests answered", words, curves, across, below, along="requests answered")


def growth_words(uses: Sequence[MemoryUse], side: str) -> str:
    """``, grows by 2.1 MiB for each 1,000 requests (1.8 to 2.4)``; empty where a service has too few samples."""
    grown = [use.growth for use in uses if use.side == side]
    known = [growth for growth in grown if growth is not None]
    if not known or len(known) < len(grown):
        return ""
    mean = sum(growth.per_thousand for growth in known) / len(known)
    half = math.sqrt(sum((growth.interval[1] - growth.per_thousand) ** 2 for growth in known)) / len(known)
    return f", grows by {mean:z.1f} MiB for each 1,000 requests ({mean - half:z.1f} to {mean + half:z.1f})"


def _slope(use: MemoryUse, growth: Growth) -> list[tuple[float, float]]:
    """Both ends of the line: through the middle of what was held once it had warmed up."""
    done, mib = use.done[use.settled :], sorted(use.mib[use.settled :])
    middle, held = (done[0] + done[-1]) / 2, mib[len(mib) // 2]
    return [(end, held + growth.per_thousand * (end - middle) / 1000) for end in (done[0], done[-1])]


@dataclass(frozen=True)
class _Tail:
    """Shares of so many requests: from 90 to 99 % is as far as from 0 to 90 %, since the slow ones matter."""

    count: int

    def x(self, percent: float) -> float:
        most = min(MOST_NINES, max(1.0, math.log10(self.count)))
        return place_x(min(1.0, -math.log10(max(1.0 - percent / 100, 1e-9)) / most))


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
