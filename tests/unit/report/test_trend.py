"""The line over past releases breaks where it must."""

from __future__ import annotations

from penstock.bundle.metric_history import History, PastRelease, PastValue
from penstock.report.trend import Past, trend


def past(*means: float | None, extractors: tuple[str | None, ...] = ()) -> Past:
    releases = []
    for place, mean in enumerate(means):
        extractor = extractors[place] if extractors else "net"
        metrics = {"lse_d": PastValue(mean=mean, n=3, extractor=extractor, slices={"s": 1.0})}
        releases.append(PastRelease(run_id=f"r{place}", version=f"1.{place}", suite="s", metrics=metrics))
    return Past(History(model="m", releases=releases), "s", {"lse_d": "net"})


def test_the_line_breaks_where_a_release_has_no_value() -> None:
    line = trend(past(8.0, 7.5, None, 7.0), "lse_d", None, 9.0)
    assert line
    assert [len(piece.split()) for piece in line.pieces] == [2, 2]
    assert len(line.gaps) == 1
    assert line.points[-1].y == min(point.y for point in line.points)  # the largest value stands highest
    assert line.words == "1.0: 8.000; 1.1: 7.500; 1.3: 7.000; this run: 9.000"


def test_another_extractor_is_a_point_off_the_line() -> None:
    line = trend(past(8.0, 7.5, 7.0, extractors=("older", "net", "net")), "lse_d", None, 9.0)
    assert line
    assert [point.comparable for point in line.points] == [False, True, True, True]
    assert [len(piece.split()) for piece in line.pieces] == [3]
    assert "other cases or another extractor" in line.words


def test_lines_of_equal_values_and_of_none() -> None:
    flat = trend(past(8.0, 8.0), "lse_d", "s", 1.0)
    assert flat
    assert {point.y for point in flat.points} == {15.0}
    assert trend(past(None, None), "lse_d", None, 9.0) is None
    assert trend(past(8.0), "fid", None, 9.0) is None
