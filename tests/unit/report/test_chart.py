"""Places in a chart, in percent of its size."""

from __future__ import annotations

from penstock.report.chart import HEIGHT, WIDTH, joined, place_x, place_y


def test_places() -> None:
    assert [place_x(share) for share in (0.0, 1 / 3, 1.0)] == [0.0, 33.33, WIDTH]
    assert [place_y(share) for share in (0.0, 0.25, 1.0)] == [HEIGHT, 75.0, 0.0]
    assert joined([(0.0, 100.0), (33.33, 2.5)]) == "0,100 33.33,2.5"
