"""The same numbers as lines and as JSON."""

from __future__ import annotations

import json

import pytest

from penstock.cli.load_display import print_json, summary_lines
from penstock.load.summary import LoadSummary, summarise
from penstock.load.timeline import RequestEnding, Timeline

ASKED = {"method": "GET", "url": "http://a/", "rate": 100.0, "concurrency": None}


def measured() -> LoadSummary:
    timeline = Timeline(cpu_share=0.12)
    for index in range(100):
        timeline.add(index / 100, 0.0002)
        timeline.sent[index] = index / 100
        if index < 2:
            timeline.end(index, RequestEnding.RESET, index / 100, message="the connection was reset")
        else:
            timeline.end(index, RequestEnding.GOOD, index / 100 + index / 1000, status=200)
    return summarise(timeline, warm_up_s=0.0, seconds=1.0, timeout_s=5.0)


def test_lines() -> None:
    assert summary_lines(measured(), ASKED) == [
        "GET http://a/: 100 requests a second, 1 s",
        "requests 100: 98 good, 2 errors, 0 dropped",
        "rate     100.0 sent a second, 89.0 good answers a second",
        "P50      51 ms, 95 % interval 41 … 62 ms",
        "P95      96 ms, 95 % interval 91 … 5000 ms",
        "P99      5000 ms, 95 % interval 98 … – ms",
        "longest  5000 ms",
        "  2 × reset: the connection was reset",
        "generator late by 0.20 ms at P99, 12% of a core",
        "! 2 of 100 requests came to no good answer; they count with the whole timeout, 5000 ms",
    ]


def test_a_closed_loop_is_said() -> None:
    lines = summary_lines(measured(), {**ASKED, "rate": None, "concurrency": 8})
    assert lines[0] == "GET http://a/: 8 at a time, 1 s"


def test_json_is_unrounded(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(measured(), ASKED)
    found = json.loads(capsys.readouterr().out)
    assert found["p95_ms"] == pytest.approx(96)
    assert found["p99_interval_ms"][1] is None
    assert found["asked"] == ASKED
