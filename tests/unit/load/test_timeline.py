"""One entry a request, from its being due to its end."""

from __future__ import annotations

import math

from penstock.load.timeline import ERRORS, RequestEnding, Timeline


def test_a_request_is_under_way_until_it_ends() -> None:
    timeline = Timeline()
    first, second = timeline.add(1.0, 0.001), timeline.add(1.5, 0.0)
    assert (first, second) == (0, 1)
    assert list(timeline.ending) == [RequestEnding.UNDER_WAY] * 2
    assert math.isnan(timeline.latency[0])
    timeline.end(second, RequestEnding.STATUS, 1.75, status=503, message="the service answered 503")
    timeline.end(first, RequestEnding.STATUS, 2.0, status=500, message="the service answered 500")
    assert list(timeline.latency) == [1.0, 0.25]
    assert list(timeline.status) == [500, 503]
    # of the last that was due, though it ended before the other
    assert timeline.samples() == {RequestEnding.STATUS: "the service answered 503"}
    assert timeline.samples(1) == {RequestEnding.STATUS: "the service answered 503"}
    assert timeline.samples(2) == {}


def test_every_ending_is_good_dropped_or_an_error() -> None:
    assert {*ERRORS, RequestEnding.GOOD, RequestEnding.DROPPED, RequestEnding.UNDER_WAY} == set(RequestEnding)
