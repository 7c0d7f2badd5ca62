"""LiveEvidence from a server that answers as Prometheus does, and from every way in which one fails."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest
from tests.unit.watch.made_prometheus import MadePrometheus, Series, prometheus

from penstock.watch.evidence import EvidenceError, LiveEvidence, NoTrafficError
from penstock.watch.prometheus import PrometheusEvidence
from penstock.watch.watch_policy import PrometheusSource, SideSelectors

T0 = 1_764_200_000.0
BOUNDS = ("0.1", "0.12", "0.15", "+Inf")


def rising(rate: float, *, since: float = 0.0) -> object:
    return lambda now: round(max(0.0, now - T0 + 10_000 - since) * rate)


def side(name: str, rate: float) -> dict[str, Series]:
    """Requests at a rate, one in 100 an error; nine in ten within 0.1 s."""
    buckets = [({"le": bound}, rising(rate * share)) for bound, share in zip(BOUNDS, (0.9, 0.96, 0.99, 1), strict=True)]
    return {
        f"requests_total{{side='{name}'}}": [
            ({"code": "200"}, rising(rate * 0.99)),
            ({"code": "500"}, rising(rate / 100)),
        ],
        f"latency_bucket{{side='{name}'}}": buckets,
        f"bad_total{{side='{name}'}}": [({}, rising(rate / 50))],
    }  # type: ignore[dict-item]


@pytest.fixture
def made() -> Iterator[MadePrometheus]:
    with prometheus(side("canary", 2.0) | side("stable", 40.0)) as found:
        yield found


def read(made: MadePrometheus, *, minutes: int = 5, timeout_s: float = 5.0) -> LiveEvidence:
    sides = [
        SideSelectors(**{k: f"{m}{{side='{name}'}}" for k, m in _METRICS.items()}) for name in ("canary", "stable")
    ]
    source = PrometheusSource(url=made.url, canary=sides[0], stable=sides[1], timeout_s=timeout_s)
    evidence = PrometheusEvidence(source, latency=True, feedback=True)
    return evidence.read(start=T0, now=T0 + 60.0 * minutes + 30, stretch_s=60.0)


_METRICS = {"requests": "requests_total", "latency": "latency_bucket", "feedback": "bad_total"}
CANARY = "requests_total{side='canary'}"


def test_counts(made: MadePrometheus) -> None:
    found = read(made)
    assert found.errors.canary_requests == pytest.approx([120] * 5, abs=2)
    assert found.errors.stable_events == pytest.approx([24] * 5, abs=1)
    assert found.latency is not None
    assert found.latency.bounds_ms == pytest.approx([100, 120, 150])
    assert found.latency.stable.sum(axis=0) == pytest.approx([10_800, 720, 360, 120], abs=3)
    assert found.feedback is not None
    assert found.feedback.canary_events.sum() == pytest.approx(12, abs=1)
    assert found.canary_users is None
    assert found.notes == ()


def test_the_query_is_prometheus_own(made: MadePrometheus) -> None:
    read(made)
    assert len(made.asked) == 6
    assert made.asked[0] == {
        "path": "/api/v1/query_range",
        "query": CANARY,
        "start": f"{T0:.3f}",
        "end": f"{T0 + 300:.3f}",
        "step": "60",
        "timeout": "5s",
    }


def test_resets_gaps_and_nan(made: MadePrometheus) -> None:
    steady = made.series[CANARY][0][1]

    def odd(now: float) -> float | str | None:
        minute = round((now - T0) / 60)
        return {1: "NaN", 2: None, 3: "+Inf"}.get(minute, 5 if minute == 4 else steady(now))

    made.series[CANARY] = [({"code": "200"}, odd)]
    found = read(made)
    assert found.errors.canary_requests.tolist()[:4] == [0, 0, 0, 5]
    assert found.errors.canary_requests[4] > 0
    assert any("to begin at 0 again" in note for note in found.notes)
    assert any("nothing about the canary for 3" in note for note in found.notes)


def test_the_first_error_counts(made: MadePrometheus) -> None:
    made.series[CANARY][1] = ({"code": "500"}, lambda now: 3 if now >= T0 + 180 else None)
    assert read(made).errors.canary_events.tolist() == [0, 0, 3, 0, 0]


def test_a_pod_that_was_killed(made: MadePrometheus) -> None:
    made.series[CANARY] = [
        (labels, lambda now, value=value: value(now) if now < T0 + 130 else None)
        for labels, value in made.series[CANARY]
    ]
    assert read(made).errors.canary_requests[2:].tolist() == [0, 0, 0]


def test_users_who_cannot_complain_are_not_content(made: MadePrometheus) -> None:
    made.series["bad_total{side='canary'}"] = [({}, lambda now: 5 if now < T0 + 130 else None)]
    feedback = read(made).feedback
    assert feedback is not None
    assert feedback.canary_requests[2:].tolist() == [0, 0, 0]
    assert feedback.canary_requests[:2] == pytest.approx([120, 120], abs=2)


def test_an_address_that_none_can_be() -> None:
    sides = SideSelectors(requests="a", latency="b", feedback="c")
    source = PrometheusSource(url="http://a..b", canary=sides, stable=sides, timeout_s=5.0)
    with pytest.raises(EvidenceError, match="not reached"):
        PrometheusEvidence(source, latency=False, feedback=False).read(start=T0, now=T0 + 90, stretch_s=60.0)


def _no_series(made: MadePrometheus) -> None:
    made.series[CANARY] = []


def _no_status(made: MadePrometheus) -> None:
    made.series[CANARY] = [({"method": "GET"}, rising(1.0))]  # type: ignore[list-item]


def _no_le(made: MadePrometheus) -> None:
    made.series["latency_bucket{side='canary'}"] = [({}, rising(1.0))]  # type: ignore[list-item]


def _other_buckets(made: MadePrometheus) -> None:
    made.series["latency_bucket{side='canary'}"][1] = ({"le": "0.13"}, rising(1.0))  # type: ignore[assignment]


def _no_top(made: MadePrometheus) -> None:
    made.series["latency_bucket{side='canary'}"].pop()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_no_series, "no series matches"),
        (_no_status, "no label 'code'"),
        (_no_le, "without the label 'le'"),
        (_other_buckets, "different buckets"),
        (_no_top, r"needs the bucket \+Inf"),
    ],
)
def test_series_that_do_not_do(made: MadePrometheus, change: object, said: str) -> None:
    change(made)  # type: ignore[operator]
    with pytest.raises(EvidenceError, match=said):
        read(made)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, b"<html>", "not JSON"),
        (200, b"[]", "gave no matrix"),
        (200, b'{"status":"success","data":{"resultType":"vector","result":[]}}', "gave no matrix"),
        (200, b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{}}]}}', "not what"),
        (200, b'{"status":"success","data":{"resultType":"matrix","result":[7]}}', "not what"),
        (200, b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":[],"values":[]}]}}', "not what"),
        (
            200,
            b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[5,"1"]]}]}}',
            "not what",
        ),
        (
            200,
            b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1764200000,"x"]]}]}}',
            "not what",
        ),
        (
            200,
            b'{"status":"success","warnings":["store 2 is gone"],"data":{"resultType":"matrix","result":[]}}',
            "may be partial: .*store 2 is gone",
        ),
        (400, b'{"status":"error","errorType":"bad_data","error":"parse error\\u001b[31m"}', "status 400, parse error"),
        (503, b'{"status":"error","errorType":"timeout","error":"query timed out"}', "query timed out"),
        (302, b"", "redirects"),
        (200, b" " * (33 << 20), "over 32 MiB"),
    ],
)
def test_answers_that_are_none(made: MadePrometheus, status: int, body: bytes, said: str) -> None:
    made.status, made.body, made.headers = status, body, {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
    with pytest.raises(EvidenceError, match=said) as raised:
        read(made)
    assert "\x1b" not in str(raised.value)


def test_a_clock_that_differs(made: MadePrometheus) -> None:
    made.headers = {"Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    with pytest.raises(EvidenceError, match=r"its clock and ours differ by \d+ s"):
        read(made)


def test_it_takes_too_long(made: MadePrometheus) -> None:
    made.delay_s = 0.4
    with pytest.raises(EvidenceError, match=r"no answer in 0\.1 s"):
        read(made, timeout_s=0.1)


def test_a_head_that_comes_byte_by_byte(made: MadePrometheus) -> None:
    over = threading.Event()

    def drip() -> None:
        connection, _ = listener.accept()
        with contextlib.suppress(OSError), connection:
            while not over.wait(0.005):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip)
        thread.start()
        made.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(EvidenceError, match=r"no whole answer in 0\.3 s|no answer in"):
            read(made, timeout_s=0.05)
        over.set()
        thread.join()


def test_it_is_gone(made: MadePrometheus) -> None:
    made.url = "http://127.0.0.1:9"
    with pytest.raises(EvidenceError, match="not reached"):
        read(made)


def test_too_early(made: MadePrometheus) -> None:
    with pytest.raises(EvidenceError, match="not over yet"):
        read(made, minutes=0)


def test_nobody_is_not_the_same_as_nothing_counted() -> None:
    """A canary that is not counted has no traffic if the stable side is counted; else Prometheus knows of neither."""
    with prometheus(side("stable", 40.0)) as made, pytest.raises(NoTrafficError, match=r"side='canary'.*no series"):
        read(made)
    for there, said in (({}, "nor any of the stable side"), (side("canary", 40.0), "side='stable'.*no series")):
        with prometheus(there) as made, pytest.raises(EvidenceError, match=said) as raised:
            read(made)
        assert not isinstance(raised.value, NoTrafficError)
