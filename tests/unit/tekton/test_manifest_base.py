"""Durations as Go reads and writes them."""

from __future__ import annotations

import pytest

from penstock.tekton.manifest_base import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("1h30m", 5400), ("10s", 10), ("250ms", 0.25), ("1.5h", 5400), ("0", 0), ("-1m", -60)]
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "s", "1d", "1h 2m", "--1s", 10])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3600, "1h0m0s"), (60, "1m0s"), (1.5, "1.5s"), (0.25, "250ms"), (0, "0s"), (5400.5, "1h30m0.5s"), (5, "5s")],
)
def test_durations_as_go_prints_them(seconds, text):
    assert format_duration(seconds) == text
