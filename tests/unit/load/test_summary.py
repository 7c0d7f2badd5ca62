"""From latencies that are known to the numbers that must come of them."""

from __future__ import annotations

import pytest

from penstock.load.summary import LoadSummary, summarise
from penstock.load.timeline import RequestEnding, Timeline


def made(
    latencies_ms: list[float], *, rate: float = 100.0, endings: dict[int, RequestEnding] | None = None
) -> Timeline:
    """Requests of constant arrivals, sent when due."""
    timeline = Timeline(cpu_share=0.1)
    for index, latency in enumerate(latencies_ms):
        timeline.add(index / rate, 0.0)
        ending = (endings or {}).get(index, RequestEnding.GOOD)
        if ending is not RequestEnding.DROPPED:
            timeline.sent[index] = index / rate
        status = {RequestEnding.GOOD: 200, RequestEnding.STATUS: 500}.get(ending, 0)
        if ending is not RequestEnding.UNDER_WAY:
            timeline.end(index, ending, index / rate + latency / 1000, status=status)
    return timeline


def summary(
    timeline: Timeline, *, warm_up_s: float = 0.0, seconds: float = 1.0, timeout_s: float = 10.0
) -> LoadSummary:
    return summarise(timeline, warm_up_s=warm_up_s, seconds=seconds, timeout_s=timeout_s)


def test_order_statistics_of_100_latencies() -> None:
    # 1 … 100 ms, in another order
    found = summary(made([float(1 + index * 37 % 100) for index in range(100)]))
    assert (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms) == pytest.approx((50, 95, 99, 100))
    assert found.p95_interval_ms == pytest.approx((90, 100))
    assert found.p95_upper_ms == pytest.approx(99)
    assert (found.requests, found.good, found.errors, found.dropped) == (100, 100, 0, 0)
    assert found.achieved_rate == pytest.approx(100)
    assert found.notes == []


def test_failed_requests_rank_last_with_the_whole_timeout() -> None:
    # ten answers of status 500 that came at once do not make the service look faster
    endings = dict.fromkeys(range(10), RequestEnding.STATUS) | {50: RequestEnding.DROPPED}
    found = summary(made([1.0] * 100, endings=endings))
    assert (found.p50_ms, found.p95_ms) == pytest.approx((1, 10_000))
    assert (found.requests, found.good, found.errors, found.dropped) == (100, 89, 10, 1)
    assert found.errors_by_kind == {
        "status": 10,
        "timeout": 0,
        "refused": 0,
        "reset": 0,
        "broken": 0,
        "tls": 0,
        "unreachable": 0,
    }
    assert found.statuses == {"200": 89, "500": 10}
    assert found.achieved_rate == pytest.approx(99)
    assert found.throughput == pytest.approx(89)
    assert found.notes == ["11 of 100 requests came to no good answer; they count with the whole timeout, 10000 ms"]


def test_the_warm_up_is_left_out() -> None:
    found = summary(made([1000.0] * 50 + [2.0] * 100), warm_up_s=0.5)
    assert (found.requests, found.max_ms) == (100, pytest.approx(2))
    assert found.achieved_rate == pytest.approx(100)


def test_the_rates_are_of_the_measured_time_whatever_was_due_then() -> None:
    # at twice what the service can do, each is sent, and answered, later and later: those that were due after the
    # warm-up never are; 50 answers a second come all the same
    timeline = Timeline(cpu_share=0.1)
    for index in range(200):
        due = index / 100
        timeline.add(due, 0.0)
        sent = index / 50
        if sent < due + 1:
            timeline.sent[index] = sent
            timeline.end(index, RequestEnding.GOOD, sent + 0.02, status=200)
        else:
            timeline.end(index, RequestEnding.DROPPED, due + 1)
    found = summary(timeline, warm_up_s=1.0, timeout_s=1.0)
    assert (found.requests, found.good) == (100, 0)
    assert found.achieved_rate == pytest.approx(50, abs=1)
    assert found.throughput == pytest.approx(50, abs=1)


def test_the_warm_ups_errors_are_not_the_measured_times() -> None:
    timeline = made([5.0] * 150)
    timeline.end(3, RequestEnding.RESET, 0.1, message="the connection was reset")
    timeline.end(4, RequestEnding.STATUS, 0.1, status=500, message="the service answered 500")
    timeline.end(70, RequestEnding.STATUS, 0.8, status=503, message="the service answered 503")
    timeline.resent.extend([2, 2, 49, 50])
    found = summary(timeline, warm_up_s=0.5)
    assert found.error_samples == {"status": "the service answered 503"}
    assert found.resent == 1
    assert summary(timeline, warm_up_s=0.6).resent == 0


def test_what_is_sent_or_answered_later_is_no_part_of_the_rates() -> None:
    timeline = made([5.0] * 90 + [500.0] * 10)
    for index in range(95, 100):
        timeline.sent[index] = 1.2
    found = summary(timeline)
    assert found.achieved_rate == pytest.approx(95)
    assert found.throughput == pytest.approx(90)


def test_what_was_under_way_when_interrupted_is_left_out() -> None:
    timeline = made([5.0] * 20 + [0.0] * 5, endings=dict.fromkeys(range(20, 25), RequestEnding.UNDER_WAY))
    timeline.interrupted_s = 0.25
    found = summary(timeline)
    assert (found.requests, found.under_way, found.seconds, found.interrupted) == (20, 5, 0.25, True)
    assert found.achieved_rate == pytest.approx(100)
    assert "5 requests were under way when it was interrupted, and are left out" in found.notes


def test_too_few_requests_have_no_upper_end() -> None:
    found = summary(made([1.0] * 71))
    assert found.p95_interval_ms == (pytest.approx(1), None)
    assert found.notes == ["an upper end of P95's interval needs at least 72 requests, here are 71"]


def test_a_generator_that_is_late_says_so() -> None:
    timeline = made([5.0] * 100)
    for index in range(2):
        timeline.late[index] = 0.004
    assert summary(timeline).generator.late_p99_ms == pytest.approx(4)
    assert (
        summary(timeline).notes[0].startswith("the generator itself was late by 4.0 ms at P99 (and used 10% of a core)")
    )
    # where answers take a second, that says nothing
    slow = made([1000.0] * 100)
    slow.late = timeline.late
    assert summary(slow).notes == []


def test_a_generator_that_had_a_whole_core_to_itself_says_so() -> None:
    # of a closed loop nothing else tells: each request is due when the generator gets to it
    timeline = made([5.0] * 100)
    timeline.cpu_share = 0.97
    (note,) = summary(timeline).notes
    assert note.startswith("the generator itself used 97% of a core: the rate may be the most that it can send")
    timeline.cpu_share = 0.8
    assert summary(timeline).notes == []


def test_nothing_measured() -> None:
    found = summary(Timeline())
    assert found.notes == ["nothing was measured: no request that was due after the warm-up has ended"]
    assert (found.requests, found.p50_ms, found.p95_interval_ms) == (0, None, (None, None))
    assert found.generator.late_p99_ms == 0
