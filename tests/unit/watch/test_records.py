"""Requests as JSON lines: what is read, what is refused, with its line."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest

from penstock.foundation.errors import UsageError
from penstock.watch.evidence import EvidenceError, LiveEvidence
from penstock.watch.records import RecordsSource, parse_start, parse_time

T0 = 1_764_200_000.0


def line(second: float, side: str = "canary", **more: object) -> bytes:
    return json.dumps({"time": T0 + second, "side": side, "status": 200, **more}).encode() + b"\n"


def read(source: RecordsSource, minutes: int = 2) -> LiveEvidence:
    return source.read(start=T0, now=T0 + 60 * minutes, stretch_s=60.0)


def test_all_fields(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    lines = [
        line(70, user="a", status=503, latency_ms=5),
        line(1, user="a", latency_ms=100.5, feedback="good"),
        b"\n",
        line(2, side="stable", user=7, feedback="bad", status=0),
        json.dumps({"time": "2025-11-26T23:33:25Z", "side": "stable", "status": 404, "user": "c"}).encode(),
    ]
    path.write_bytes(b"".join(lines))
    source = RecordsSource(path)
    found = read(source)
    assert found.errors.canary_events.tolist() == [0, 1]
    assert found.errors.stable_requests.tolist() == [2, 0]
    assert found.errors.stable_events.tolist() == [1, 0]
    assert found.feedback is not None
    assert found.feedback.stable_events.tolist() == [1, 0]
    assert found.latency is not None
    assert found.latency.canary.sum() == 1
    assert (source.first_canary(), source.last_time) == (T0 + 1, T0 + 70)


def test_standard_input_and_no_feedback() -> None:
    source = RecordsSource(None, stream=io.BytesIO(line(1) + line(2, side="stable")))
    assert read(source).feedback is None
    assert read(source).canary_requests == 1


def test_users_who_are_not_asked_are_not_content() -> None:
    lines = line(1) + line(2) + line(3, side="stable", feedback="bad") + line(4, side="stable", feedback="good")
    feedback = read(RecordsSource(None, stream=io.BytesIO(lines))).feedback
    assert feedback is not None
    assert feedback.canary_requests.tolist() == [0, 0]
    assert feedback.stable_requests.tolist() == [2, 0]
    assert feedback.stable_events.tolist() == [1, 0]


def test_a_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    whole = line(61)
    path.write_bytes(line(1) + whole[:20])
    source = RecordsSource(path, whole=False)
    assert read(source).canary_requests == 1
    with path.open("ab") as file:
        file.write(whole[20:])
    assert read(source).canary_requests == 2
    path.write_bytes(line(1))
    with pytest.raises(EvidenceError, match="has become shorter"):
        read(source)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"{", "not a record"),
        (b"[1]", "not a JSON object"),
        (line(1, latency_ms=float("nan")), "NaN is not a JSON number"),
        (line(1, latency_ms=-1), "'latency_ms' is -1"),
        (line(1, latency_ms="5"), "'latency_ms' is"),
        (line(1, side="blue"), "'side' is"),
        (line(1, status="200"), "'status' is"),
        (line(1, status=True), "'status' is true"),
        (line(1, status=2000), "'status' is 2000"),
        (line(1, user=[1]), "'user' is [1]"),
        (line(1, feedback="meh"), "'feedback' is"),
        (line(1, ip="1.2.3.4"), "unknown field"),
        (line(T0 * 1000), "in seconds, not milliseconds"),
        (json.dumps({"side": "canary", "status": 200}).encode(), "'time' is missing"),
        (json.dumps({"time": "2025-11-26T23:33:25", "side": "canary", "status": 200}).encode(), "'time' is"),
        (b'{"time": 1e999, "side": "canary", "status": 200}', "not finite"),
        (b'{"x": "' + b"a" * 20_000 + b'"}', "longer than"),
        (b"\xff\xfe", "not UTF-8"),
    ],
)
def test_what_is_not_a_record(tmp_path: Path, bad: bytes, said: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line(0) + line(1) + bad.rstrip(b"\n") + b"\n" + line(3))
    source = RecordsSource(path)
    for _ in range(2):  # it is not passed over the next time
        with pytest.raises(UsageError) as raised:
            read(source)
        assert raised.value.where == f"{path}:3"
        assert said in str(raised.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="missing"):
        read(RecordsSource(tmp_path / "none.jsonl"))


def test_no_records(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.touch()
    source = RecordsSource(path)
    with pytest.raises(EvidenceError, match="no records yet"):
        read(source)
    assert (source.first_canary(), source.last_time) == (None, None)


def test_clocks_that_differ() -> None:
    source = RecordsSource(None, stream=io.BytesIO(line(1) + line(time.time() - T0 + 480)))
    with pytest.raises(EvidenceError, match=r"from 4(80|79) s in the future"):
        read(source)


def test_records_after_the_timeout_are_not_from_the_future() -> None:
    source = RecordsSource(None, stream=io.BytesIO(line(1) + line(600)))
    assert read(source).canary_requests == 1


@pytest.mark.parametrize("text", ["1764200000", "2025-11-26T23:33:20Z", "2025-11-27T00:33:20+01:00"])
def test_times(text: str) -> None:
    assert parse_time(text, where="") == T0


def test_a_start_in_the_future() -> None:
    assert parse_start("1764200000", where="--since") == T0
    with pytest.raises(UsageError, match="in the future"):
        parse_start(str(time.time() + 120), where="--since")


@pytest.mark.parametrize("text", ["", "now", "2025-11-26", "-1", "nan", "inf", "1e300"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError):
        parse_time(text, where="--since")


def test_probes_are_not_users_requests(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(line(1) + line(2, probe=False) + line(3, probe=True) + line(70))
    found = read(RecordsSource(path))
    assert found.errors.canary_requests.sum() + found.errors.stable_requests.sum() == 3
    path.write_bytes(line(1, probe="yes"))
    with pytest.raises(UsageError, match=r"log\.jsonl:1: 'probe' is \"yes\", not true or false"):
        read(RecordsSource(path))
