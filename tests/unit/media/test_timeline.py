"""Where pieces of sound lie on the time line."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from penstock.media.timeline import placed

RATE = 16_000


@pytest.mark.parametrize(
    ("rate", "size"), [(44_100, 1024), (48_000, 1152), (22_050, 576), (16_000, 320), (11_025, 1000)]
)
@pytest.mark.parametrize("rounded", [round, int])
def test_rounding_to_milliseconds_moves_nothing(rate: int, size: int, rounded) -> None:
    frames = []
    for number in range(2000):
        frame = av.AudioFrame(format="s16", layout="mono", samples=size)
        frame.sample_rate, frame.time_base = rate, Fraction(1, 1000)
        frame.pts = 500_000 + rounded(Fraction(number * size * 1000, rate))
        frames.append(frame)
    for number, piece in enumerate(placed(frames, stamped=True)):
        assert piece.at == Fraction(number * size, rate)
        assert piece.begin == 500


def test_an_overlap_moves_what_comes_after_it_forward() -> None:
    frames = []
    for number in range(100):
        frame = av.AudioFrame(format="s16", layout="mono", samples=320)
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = number * 320 - (8000 if number >= 60 else 640 if number >= 40 else 0)
        frames.append(frame)
    for number, piece in enumerate(placed(frames, stamped=True)):
        assert piece.at == Fraction(frames[number].pts, RATE)


def test_a_second_time_line_follows_the_first() -> None:
    """As where two files were joined: the time stamps begin anew, the sound goes on."""
    frames = []
    for number in range(200):
        frame = av.AudioFrame(format="s16", layout="mono", samples=320)
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = number % 100 * 320
        frames.append(frame)
    assert [piece.at for piece in placed(frames, stamped=True)] == [Fraction(n, 50) for n in range(200)]


def test_a_container_without_time_stamps_is_counted() -> None:
    frames = []
    for number in range(20):
        frame = av.AudioFrame(format="s16", layout="mono", samples=320)
        frame.sample_rate, frame.time_base, frame.pts = RATE, Fraction(1, 1000), 35 * number
        frames.append(frame)
    assert [piece.at for piece in placed(frames, stamped=False)] == [Fraction(n, 50) for n in range(20)]
