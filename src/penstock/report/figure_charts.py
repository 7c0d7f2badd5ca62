"""Curves and histograms of ``figures.json`` as charts: the candidate's over the baseline's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist

from penstock.bundle.figures_record import LEAST_RANGE, Axis, CurveFigure, Group, HistogramFigure, Mark
from penstock.bundle.verdict_record import RuleResult
from penstock.foundation.errors import printable
from penstock.report.chart import Chart, Curve, Dot, Tick, joined, place_x, place_y
from penstock.report.summary import rule_state

RATES = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)
MOST_STEPS = 5
"""From tick to tick of a linear axis."""
SMALL_DOT, LARGE_DOT = 2.0, 7.0
MARK_RADIUS = 4.5
NORMAL = NormalDist()
_LEAST = 1e-9
"""A share is never nearer to 0 or 1 on a probit axis, which has no place for them."""


@dataclass(frozen=True)
class OperatingPoint:
    """A marked point, in words."""

    number: int
    """As the chart has it."""
    title: str
    candidate: str
    baseline: str
    limit: str
    """Of the rule; empty: there is none."""
    state: str
    """Of the rule, see :data:`penstock.report.rows.ORDER`."""


@dataclass(frozen=True)
class CurveDrawing:
    """A curve figure, for the template."""

    chart: Chart
    note: str
    points: list[OperatingPoint]


@dataclass(frozen=True)
class Row:
    """A row of a histogram; heights are shares of the row's highest bin of either side."""

    name: str
    count: int
    candidate: str
    """The attribute of a polygon."""
    baseline: str
    """The attribute of a polyline; empty: the baseline has no such row."""
    words: str


@dataclass(frozen=True)
class HistogramDrawing:
    """A histogram figure, for the template."""

    title: str
    note: str
    along: str
    rows: list[Row]
    limits: list[Tick]
    below: list[Tick]


@dataclass(frozen=True)
class _Scale:
    """From values to shares of an axis."""

    axis: Axis
    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value is: below 0 or above 1 if it is outside."""
        low, high = self._place(self.low), self._place(self.high)
        return (self._place(value) - low) / (high - low)

    def inside(self, value: float) -> float:
        """Where a value is, or the end of the axis that it is nearest to."""
        return min(1.0, max(0.0, self.share(value)))

    def ticks(self) -> list[tuple[float, str]]:
        """Share and label."""
        if self.axis.scale == "probit":
            return [(self.share(rate), percent(rate)) for rate in RATES if self.low <= rate <= self.high]
        step = _round_step((self.high - self.low) / MOST_STEPS)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [(self.inside(n * step), f"{n * step:.6g}") for n in range(first, first + count)]

    def _place(self, value: float) -> float:
        if self.axis.scale == "probit":
            return NORMAL.inv_cdf(min(1 - _LEAST, max(_LEAST, value)))
        return value


def _round_step(least: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is at least so much."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))


def percent(share: float) -> str:
    """``0.1 %``."""
    return f"{100 * share:.3g} %" if share >= 1e-4 or share == 0 else f"{share:.0e}".replace("e-0", "e-")


def draw_curve(mine: CurveFigure, other: CurveFigure | None, rules: Mapping[str, RuleResult]) -> CurveDrawing:
    """A curve over the baseline's, with the points of those metrics that have a rule; without any rule, with all.

    Args:
        mine: the candidate's.
        other: the baseline's; ``None``: it has none.
        rules: metric → the rule on it for all cases.
    """
    sides = [("baseline", other), ("candidate", mine)] if other is not None else [("candidate", mine)]
    marks = [mark for mark in mine.marks if mark.metric in rules] or mine.marks
    x, y = _scale(mine.x, [figure.points for _, figure in sides], 0), _scale(mine.y, [f.points for _, f in sides], 1)

    def at(point: tuple[float, float]) -> tuple[float, float]:
        return place_x(x.share(point[0])), place_y(y.share(point[1]))

    def held(point: tuple[float, float]) -> tuple[float, float]:
        return place_x(x.inside(point[0])), place_y(y.inside(point[1]))

    curves = [Curve(joined([at((0.0, 0.0)), at((1.0, 1.0))]), "diagonal")] if mine.diagonal else []
    dots: list[Dot] = []
    for side, figure in sides:
        curves.append(Curve(joined(map(at, _corners(figure.points) if figure.steps else figure.points)), side))
        most = max(figure.weights, default=0.0)
        for point, weight in zip(figure.points, figure.weights, strict=False):
            radius = SMALL_DOT + (LARGE_DOT - SMALL_DOT) * (max(0.0, weight) / most) ** 0.5 if most > 0 else SMALL_DOT
            dots.append(Dot(*held(point), round(radius, 1), side))
        theirs = {mark.metric: mark for mark in figure.marks}
        for number, mark in enumerate(marks, 1):
            if (mark_of_side := theirs.get(mark.metric)) is not None:
                label = str(number) if side == "candidate" else ""
                dots.append(Dot(*held((mark_of_side.x, mark_of_side.y)), MARK_RADIUS, side, label))
    before = {mark.metric: mark for mark in other.marks} if other is not None else {}
    told = [_told(n, mark, before.get(mark.metric), rules.get(mark.metric)) for n, mark in enumerate(marks, 1)]
    chart = Chart(
        mine.title,
        f"{mine.title}: {mine.y.title} over {mine.x.title}. {mine.note}",
        curves,
        [Tick(place_y(share), label) for share, label in y.ticks()],
        [Tick(place_x(share), label) for share, label in x.ticks()],
        dots=dots,
        along=mine.x.title,
        upwards=mine.y.title,
    )
    return CurveDrawing(chart, mine.note, told)


def _scale(axis: Axis, lines: Sequence[Sequence[tuple[float, float]]], which: int) -> _Scale:
    """A probit axis begins where the least rate above 0 is, so that a small suite does not fill a corner."""
    high = max((point[which] for line in lines for point in line), default=axis.high) if axis.fit else axis.high
    low, high = axis.low, high if high - axis.low >= LEAST_RANGE else axis.low + 1.0
    if axis.scale == "probit":
        least = min((point[which] for line in lines for point in line if point[which] > 0), default=low)
        low = min(max(low, least / 2, _LEAST), high / 10)
    return _Scale(axis, low, high)


def _corners(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """A line that holds each value up to the next point."""
    for place, point in enumerate(points):
        if place:
            yield point[0], points[place - 1][1]
        yield point


def _told(number: int, mark: Mark, before: Mark | None, rule: RuleResult | None) -> OperatingPoint:
    candidate, baseline = (f"{percent(at.x)}, {percent(at.y)}" if at is not None else "" for at in (mark, before))
    limit, state = (rule.limit, rule_state(rule)) if rule is not None else ("", "")
    return OperatingPoint(number, printable(mark.title), candidate, baseline, limit, state)


def draw_histogram(mine: HistogramFigure, other: HistogramFigure | None) -> HistogramDrawing:
    """Rows of the candidate, each over the baseline's row of the same name.

    Empty bins that all rows have on either side are cut off.
    """
    theirs = {group.name: group for group in other.groups} if other is not None and other.x == mine.x else {}
    bins = max((len(group.counts) for group in mine.groups), default=0)
    everything = [*mine.groups, *theirs.values()]
    used = [
        place
        for place in range(bins)
        if any(count for group in everything for count in group.counts[place : place + 1])
    ]
    first, last = (max(0, used[0] - 1), min(bins, used[-1] + 2)) if used else (0, max(bins, 1))
    width = (mine.x.high - mine.x.low) / max(bins, 1)
    low, high = mine.x.low + first * width, mine.x.low + last * width
    scale = _Scale(mine.x, low, high)
    rows = [_row(group, theirs.get(group.name), first, last, low, width) for group in mine.groups]
    return HistogramDrawing(
        mine.title,
        mine.note,
        mine.x.title,
        rows,
        [Tick(place_x(scale.inside(limit.x)), limit.title) for limit in mine.limits if low <= limit.x <= high],
        [Tick(place_x(share), label) for share, label in scale.ticks()],
    )


def _row(mine: Group, other: Group | None, first: int, last: int, low: float, width: float) -> Row:
    ours = _shares(mine, first, last)
    theirs = _shares(other, first, last) if other is not None else []
    most = max([*ours, *theirs, 1e-12])
    count = sum(mine.counts)
    outline = joined(_steps(theirs, most)) if theirs else ""
    words = f"{mine.name}: {count} values"
    if count:
        passed = accumulate(ours)
        middle = next((place for place, share in enumerate(passed) if share >= 0.5 - 1e-9), 0)
        words += f", the middle one near {low + (middle + 0.5) * width:.3g}"
    area = joined([(0.0, 100.0), *_steps(ours, most), (100.0, 100.0)])
    return Row(mine.name, count, area, outline, words)


def _shares(group: Group, first: int, last: int) -> list[float]:
    counts = group.counts[first:last]
    counts += [0] * (last - first - len(counts))
    everything = sum(counts) or 1
    return [count / everything for count in counts]


def _steps(shares: Sequence[float], most: float) -> Iterator[tuple[float, float]]:
    for place, share in enumerate(shares):
        height = place_y(0.96 * share / most)
        yield place_x(place / len(shares)), height
        yield place_x((place + 1) / len(shares)), height
