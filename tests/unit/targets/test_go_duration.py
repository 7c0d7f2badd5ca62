"""Durations as Go writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.targets.go_duration import seconds_of


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("60s", 60), ("1h30m", 5400), ("250ms", 0.25), ("1.5m", 90), (90, 90), ("90", 90), ("0s", 0), (0, 0)],
)
def test_seconds(said: object, seconds: float) -> None:
    assert seconds_of(said) == seconds


@pytest.mark.parametrize("said", ["{{args.interval}}", "", "10 s", "-5s", "5d", -1, True, None, "s", "٣s", "1e3s"])
def test_what_is_none_is_a_wait_without_an_end(said: object) -> None:
    assert seconds_of(said) == float("inf")


@given(st.text(max_size=40))
def test_no_text_is_an_error(said: str) -> None:
    assert seconds_of(said) >= 0


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_parts_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert seconds_of(f"{hours}h{minutes}m{seconds}s") == 3600 * hours + 60 * minutes + seconds
