"""How wide a mouth opens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics.mouth_opening import MIN_FRAMES, wide_opening


def test_one_wide_frame_of_forty_does_not_count_and_three_do() -> None:
    openings = [0.1, 0.2] * 20
    assert wide_opening([*openings[:-1], 0.9]) == pytest.approx(0.2)
    assert wide_opening([*openings[:-3], 0.9, 0.9, 0.9]) == pytest.approx(0.9)


def test_frames_without_a_face_are_left_out() -> None:
    seen = list(np.linspace(0.0, 0.4, 41))
    assert wide_opening([np.nan] * 50 + seen) == wide_opening(seen) == pytest.approx(0.38)
    assert wide_opening([0.3] * (MIN_FRAMES - 1) + [np.nan] * 90) is None
    assert wide_opening([]) is None


def test_what_is_below_0_is_shut() -> None:
    assert wide_opening([-0.01] * 20) == 0.0


@given(st.lists(st.floats(0, 1), min_size=MIN_FRAMES, max_size=80), st.floats(1, 3))
def test_it_grows_as_the_mouth_does(openings: list[float], factor: float) -> None:
    value, wider = wide_opening(openings), wide_opening(np.asarray(openings) * factor)
    assert value is not None
    assert wider == pytest.approx(value * factor)
    assert min(openings) <= value <= max(openings)
