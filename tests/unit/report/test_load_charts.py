"""Lines stay in their chart, show what was measured, and say it in words."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.load.growth import growth_per_thousand
from penstock.report.chart import HEIGHT, WIDTH, Chart
from penstock.report.load_charts import MemoryUse, Requests, distribution, growth_words, memory, over_time

VALUES = st.floats(min_value=0.0, max_value=1e6, allow_nan=False)


def points(chart: Chart, kind: str) -> list[tuple[float, float]]:
    (curve,) = [curve for curve in chart.curves if curve.kind == kind]
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in curve.points.split())]


def requests(latency: list[float], good: list[bool] | None = None) -> Requests:
    return Requests([n / 10 for n in range(len(latency))], latency, good or [True] * len(latency))


def test_median_and_highest_of_each_moment() -> None:
    calm, spiky = [10.0] * 600, [1000.0 if n % 10 == 0 else 10.0 for n in range(600)]
    chart = over_time([("candidate", requests(spiky)), ("baseline", requests(calm))])
    assert chart is not None
    assert [curve.kind for curve in chart.curves] == ["candidate worst", "candidate", "baseline worst", "baseline"]
    heights = {kind: {y for _, y in points(chart, kind)} for kind in ("candidate", "baseline", "baseline worst")}
    # ten requests in some three columns: the median never shows the spike, the highest does in places
    assert heights["candidate"] == heights["baseline"] == heights["baseline worst"]
    assert min(y for _, y in points(chart, "candidate worst")) < min(heights["candidate"])
    assert [tick.label for tick in chart.across] == ["10 ms", "100 ms", "1 s"]
    assert chart.marks == []
    assert chart.words == "Latency over 60 s: median and highest of each moment; 0 requests without a good answer"


def test_requests_without_a_good_answer_are_marked() -> None:
    chart = over_time([("candidate", requests([10.0] * 11, [n != 5 for n in range(11)]))])
    assert chart is not None
    assert chart.marks == [WIDTH / 2]
    assert "1 requests without a good answer" in chart.words


def test_the_distribution_is_of_ranks() -> None:
    chart = distribution([("candidate", requests([float(n) for n in range(1, 101)]))])
    assert chart is not None
    assert (
        chart.words
        == "Share of requests and their latency: 50 % within 50.0 ms, 95 % within 95.0 ms, 99 % within 99.0 ms"
    )
    (x, y), *_, (last, top) = points(chart, "candidate")
    assert (x, last) == (0.0, WIDTH)
    assert top < y
    assert [tick.label for tick in chart.below] == ["50 %", "95 %", "99 %"]


def test_memory_that_grows_rises_and_noise_does_not_fill_the_chart() -> None:
    chart = memory("Memory", [MemoryUse("candidate", range(1000), [100.0 + n for n in range(1000)])])
    assert chart is not None
    said = "From 100 to 1099 MiB, grows by 1000.0 MiB for each 1,000 requests (1000.0 to 1000.0)"
    assert chart.words == said
    line = points(chart, "candidate")
    assert line[0][1] > line[-1][1]
    assert len(line) < 400
    assert line[-1][0] == WIDTH
    still = memory("Memory", [MemoryUse("candidate", range(100), [200.0 + 0.01 * (n % 2) for n in range(100)])])
    assert still is not None
    heights = [y for _, y in points(still, "candidate")]
    assert max(heights) - min(heights) < HEIGHT / 10


def test_nothing_that_was_measured() -> None:
    nothing = Requests([], [], [])
    assert over_time([("candidate", nothing)]) is None
    assert distribution([("candidate", nothing)]) is None
    assert memory("Memory", [MemoryUse("candidate", [], [])]) is None
    # the candidate died, the released model did not
    beside = over_time([("candidate", nothing), ("baseline", requests([1.0]))])
    assert beside is not None
    assert [curve.kind for curve in beside.curves] == ["baseline worst", "baseline"]


def test_the_slow_ones_have_room() -> None:
    chart = distribution([("candidate", requests([float(n) for n in range(1, 2001)]))])
    assert chart is not None
    assert [(tick.label, tick.at) for tick in chart.below] == [
        ("50 %", pytest.approx(10.03, abs=0.01)),
        ("95 %", pytest.approx(43.37, abs=0.01)),
        ("99 %", pytest.approx(66.67, abs=0.01)),
        ("99.9 %", 100.0),
    ]
    few = distribution([("candidate", requests([1.0, 2.0, 3.0]))])
    assert few is not None
    assert [tick.label for tick in few.below] == ["50 %"], "of three requests nobody knows the slowest twentieth"


def test_growth_is_the_metrics_and_its_line_has_that_slope() -> None:
    wave = [200.0 + 0.05 * n + 2 * math.sin(n / 3) for n in range(400)]
    warming = [0.0] * 40 + wave[40:]
    use = MemoryUse("candidate", range(400), warming, settled=40)
    growth = growth_per_thousand(range(40, 400), wave[40:])
    assert growth is not None
    assert use.growth == growth, "what is taken during the warm-up is no leak"
    assert growth.interval[0] < 50 < growth.interval[1]
    chart = memory("Memory", [use, MemoryUse("baseline", range(50), [100.0] * 50)])
    assert chart is not None
    assert [curve.kind for curve in chart.curves] == ["candidate", "baseline", "candidate slope"]
    (begin, top), (end, bottom) = points(chart, "candidate slope")
    low, high = -0.1 * (max(warming) - 0.0), max(warming) * 1.1
    rise = (top - bottom) / HEIGHT * (high - max(0.0, low))
    assert rise / ((end - begin) / WIDTH * 399) * 1000 == pytest.approx(growth.per_thousand, rel=0.02)
    two = [use, MemoryUse("candidate", range(400), wave)]
    assert growth_words(two, "candidate").startswith(", grows by ")
    assert growth_words([*two, MemoryUse("candidate", range(5), [1.0] * 5)], "candidate") == "", "one says nothing"
    assert growth_words(two, "baseline") == ""


@pytest.mark.slow
@given(st.lists(VALUES, min_size=1, max_size=300))
@pytest.mark.parametrize("draw", [over_time, distribution])
def test_every_point_lies_in_the_chart(draw, latency: list[float]) -> None:
    chart = draw([("candidate", requests(latency))])
    for curve in chart.curves:
        for x, y in points(chart, curve.kind):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    assert 1 <= len(chart.across) <= 12
