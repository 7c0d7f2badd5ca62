"""Curves and histograms: where things stand, what is told of them, and that nothing breaks on odd numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.verdicts import rule

from penstock.bundle.figures_record import Axis, CurveFigure, Group, HistogramFigure, Limit, Mark
from penstock.report.figure_charts import draw_curve, draw_histogram, percent

NUMBERS = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False)


def curve(*points: tuple[float, float], **more: Any) -> CurveFigure:
    given: dict[str, Any] = {"x": Axis(title="across"), "y": Axis(title="up")} | more
    return CurveFigure(name="c", title="Curve", note="Look.", points=list(points), **given)


def places(points: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in points.split())]


def test_the_candidate_lies_over_the_baseline() -> None:
    drawn = draw_curve(curve((0.0, 0.5), (1.0, 0.0)), curve((0.0, 1.0), (1.0, 1.0)), {})
    assert [(line.kind, places(line.points)) for line in drawn.chart.curves] == [
        ("baseline", [(0, 0), (100, 0)]),
        ("candidate", [(0, 50), (100, 100)]),
    ]
    assert drawn.chart.words == "Curve: up over across. Look."
    assert [tick.label for tick in drawn.chart.below] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]
    alone = draw_curve(curve((0.0, 0.5)), None, {})
    assert [line.kind for line in alone.chart.curves] == ["candidate"]


def test_a_value_that_holds_up_to_the_next() -> None:
    (line,) = draw_curve(curve((0.0, 1.0), (0.5, 0.5), (1.0, 0.0), steps=True), None, {}).chart.curves
    assert places(line.points) == [(0, 0), (50, 0), (50, 50), (100, 50), (100, 100)]


def test_rates_have_room_where_they_are_small() -> None:
    rates = Axis(title="rate", scale="probit", low=1e-6, high=0.5)
    drawn = draw_curve(curve((0.0, 1.0), (0.001, 0.1), (1.0, 0.0), x=rates, y=rates), None, {})
    assert [tick.label for tick in drawn.chart.below] == ["0.1 %", "1 %", "5 %", "20 %", "50 %"]
    spots = [tick.at for tick in drawn.chart.below]
    assert spots == sorted(spots)
    assert spots[1] - spots[0] > 10, "0.9 percentage points there are as much as 30 here"
    assert spots[-1] == 100
    (start, middle, end) = places(drawn.chart.curves[0].points)
    assert 0 < middle[0] < spots[0] + 1e-9
    assert start[0] < 0, "what is outside the frame is cut by it, not bent along it"
    assert end[1] > 100


def test_an_axis_that_ends_where_the_values_do() -> None:
    drawn = draw_curve(curve((0.0, 0.021), (1.0, 0.0), y=Axis(title="up", fit=True)), None, {})
    assert places(drawn.chart.curves[0].points) == [(0, 0), (100, 100)]
    assert [tick.label for tick in drawn.chart.across] == ["0", "0.005", "0.01", "0.015", "0.02"]
    flat = draw_curve(curve((0.0, 0.0), (1.0, 0.0), y=Axis(title="up", fit=True)), None, {})
    assert places(flat.chart.curves[0].points) == [(0, 100), (100, 100)]


MARKS = [Mark(metric="lse_d", title="LSE-D", x=0.5, y=0.25), Mark(metric="kid", title="K\x1bID", x=0.1, y=0.001)]


def test_points_of_the_policy() -> None:
    before = curve((0.0, 0.0), marks=[Mark(metric="lse_d", title="LSE-D", x=0.5, y=0.5)])
    drawn = draw_curve(curve((0.0, 0.0), marks=MARKS), before, {"lse_d": rule("fail")})
    (point,) = drawn.points
    assert (point.number, point.title, point.candidate, point.baseline) == (1, "LSE-D", "50 %, 25 %", "50 %, 50 %")
    assert (point.limit, point.state) == ("≤ 9", "fail")
    assert [(dot.x, dot.y, dot.kind, dot.label) for dot in drawn.chart.dots] == [
        (50.0, 50.0, "baseline", ""),
        (50.0, 75.0, "candidate", "1"),
    ]
    everyone = draw_curve(curve((0.0, 0.0), marks=MARKS), None, {}).points
    assert [(point.title, point.baseline, point.limit, point.state) for point in everyone] == [
        ("LSE-D", "", "", ""),
        ("K\\x1bID", "", "", ""),
    ]


def test_dots_grow_with_what_they_stand_for() -> None:
    drawn = draw_curve(curve((0.2, 0.2), (0.8, 0.9), weights=[1, 100], diagonal=True), None, {})
    assert drawn.chart.curves[0].kind == "diagonal"
    small, large = (dot.radius for dot in drawn.chart.dots)
    assert 2 <= small < 3
    assert large == 7


def histogram(*groups: tuple[str, list[int]], **more: Any) -> HistogramFigure:
    given: dict[str, Any] = {"x": Axis(title="score", low=0.0, high=1.0)} | more
    return HistogramFigure(
        name="h", title="H", groups=[Group(name=name, counts=counts) for name, counts in groups], **given
    )


def test_rows_over_those_of_the_baseline() -> None:
    mine = histogram(("good", [0, 0, 1, 3]), ("blur", [4, 0, 0, 0]), limits=[Limit(title="from 0.5", x=0.5)])
    drawn = draw_histogram(mine, histogram(("good", [0, 0, 2, 0])))
    good, blur = drawn.rows
    assert (good.count, good.words) == (4, "good: 4 values, the middle one near 0.875")
    assert [y for _, y in places(good.candidate)] == [100, 100, 100, 100, 100, 76, 76, 28, 28, 100]
    assert max(100 - y for _, y in places(good.baseline)) == 96, "all of the baseline's are in one bin"
    assert blur.baseline == ""
    assert [(tick.at, tick.label) for tick in drawn.limits] == [(50.0, "from 0.5")]


def test_bins_that_nobody_uses_are_cut_off() -> None:
    drawn = draw_histogram(histogram(("good", [0] * 10 + [5, 5] + [0] * 8), x=Axis(title="x", low=-1.0)), None)
    assert [tick.label for tick in drawn.below] == ["-0.1", "0", "0.1", "0.2", "0.3"]
    assert len(places(drawn.rows[0].candidate)) == 2 * 4 + 2
    other = draw_histogram(histogram(("good", [1])), histogram(("good", [1]), x=Axis(title="x", low=-1.0)))
    assert other.rows[0].baseline == "", "bins of another width are no comparison"


def test_empty_histograms() -> None:
    assert draw_histogram(histogram(), None).rows == []
    (row,) = draw_histogram(histogram(("none", [0, 0, 0])), histogram(("none", []))).rows
    assert row.words == "none: 0 values"
    assert all(y == 100 for _, y in places(row.candidate))


def test_percent() -> None:
    assert [percent(share) for share in (0.0, 1e-6, 0.001, 0.0765, 0.5)] == ["0 %", "1e-6", "0.1 %", "7.65 %", "50 %"]


AXES = st.tuples(NUMBERS, NUMBERS).filter(lambda ends: ends[1] - ends[0] >= 1e-6)


@pytest.mark.slow
@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20), AXES, st.booleans(), st.sampled_from(["linear", "probit"]))
def test_whatever_a_bundle_says_is_drawn(points, ends, fit, scale) -> None:
    low, high = (1e-6, 0.5) if scale == "probit" else ends
    axis = Axis(title="x", scale=scale, low=low, high=high, fit=fit and scale == "linear")
    drawn = draw_curve(curve(*points, x=axis, y=axis, weights=[1.0] * len(points)), None, {})
    assert len(drawn.chart.below) <= 8
    assert all(0 <= dot.x <= 100 and 0 <= dot.y <= 100 for dot in drawn.chart.dots)


@pytest.mark.slow
@pytest.mark.parametrize("counts", [[10**12] * 3, [1], []])
@given(ends=AXES)
def test_whatever_is_counted_is_drawn(counts: list[int], ends) -> None:
    drawn = draw_histogram(
        histogram(("g", counts), ("h", [1, 2, 3]), x=Axis(title="x", low=ends[0], high=ends[1])), None
    )
    for row in drawn.rows:
        assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in places(row.candidate))
