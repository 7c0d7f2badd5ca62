"""Whether lips meet where a sound asks for it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics.lip_closure import CLOSED, closures
from penstock.speech.sounds import Sound


def test_the_least_opening_counts() -> None:
    sounds = [Sound("AA", 0.0, 0.1), Sound("M", 0.1, 0.2), Sound("P", 0.4, 0.44)]
    found = closures([0.3, 0.3, 0.2, 0.01, 0.2, 0.3, 0.3, 0.3, 0.3, 0.1, 0.05, 0.3], sounds, fps=25)
    assert [(each.symbol, each.opening, each.closed) for each in found] == [("M", 0.01, True), ("P", 0.05, False)]


def test_frames_without_a_face() -> None:
    sounds = [Sound("B", 0.0, 0.04), Sound("B", 0.2, 0.24), Sound("B", 9.0, 9.1)]
    found = closures([np.nan, np.nan, 0.2, np.nan, 0.0, np.nan, 0.3], sounds, fps=25)
    assert [each.start_s for each in found] == [0.2]
    assert found[0].closed


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50), st.floats(0, 2), st.floats(0.01, 0.5))
def test_closed_is_the_bound(openings: list[float], start: float, length: float) -> None:
    for each in closures(openings, [Sound("M", start, start + length)], fps=25):
        assert each.opening in openings
        assert each.closed == (each.opening <= CLOSED)


def test_other_sounds_ask_for_nothing() -> None:
    assert closures([0.5] * 10, [Sound("F", 0.0, 0.2), Sound("W", 0.2, 0.3)], fps=25) == []
    assert closures([], [Sound("M", 0.0, 0.2)], fps=25) == []
