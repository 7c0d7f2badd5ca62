"""Which frames make a constant rate: FFmpeg's two rules.

They differ, and FFmpeg's own releases differ in the second: a video of 25 frames per second comes out of both as it is,
any other does not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")

_DRIFT = Fraction(11, 10)
"""How many slots the ``ffmpeg`` program lets frames drift before it drops or repeats one."""
_CLOCK_BITS = 16
"""The ``ffmpeg`` program counts time in slots of the output, each cut into 2 to this power."""
_OFF_THE_MIDDLE = Fraction(1, 1 << 17)
"""Added to a time that is no whole slot, so that rounding never meets an exact half."""


def at_rate(timed: Iterable[tuple[T, Fraction, Fraction]], fps: Fraction) -> Iterator[T]:
    """Repeat and drop frames for a constant rate, as FFmpeg's ``fps`` filter does with its defaults.

    Args:
        timed: frames with start and duration in seconds, starts increasing.
        fps: the rate.

    A frame's start is rounded to the nearest slot of ``1 / fps``, halves away from zero; each slot from the first
    frame's on shows the last frame that begins at or before it; the last frame is shown until its rounded end.
    """
    held: list[T] = []  # the frame on show, once there is one
    slot = end = 0
    for frame, start, duration in timed:
        at = _rounded(start * fps)
        slot = slot if held else at
        while slot < at:
            yield held[0]
            slot += 1
        held = [frame]
        end = _rounded((start + duration) * fps)
    while held and slot < end:
        yield held[0]
        slot += 1


def at_program_rate(timed: Iterable[tuple[T, Fraction, Fraction]], fps: Fraction) -> Iterator[T]:
    """Repeat and drop frames for a constant rate, as ``ffmpeg -r`` of FFmpeg 7.0 does (``-fps_mode cfr``).

    It hands frames on as they come and corrects itself only when it has drifted by 1.1 slots, so what it shows lags
    behind its time: 30 frames a second by up to 1.8 slots of a 25th (73 ms), 50 by 1.5, for ever. That is a fault of
    the reference's pipeline, which the metric sees as an offset; it is repeated here for comparison with it only.
    FFmpeg 5.1 chooses others still, and lags by about one slot.

    Args:
        timed: frames with start and duration in seconds, starts increasing. Slots are counted from the first one.
        fps: the rate.
    """
    held: list[T] = []
    first: Fraction | None = None
    slot = 0
    recent = [0, 0, 0]
    for frame, start, duration in timed:
        first = start if first is None else first
        at = Fraction(_rounded((start - first) * fps * (1 << _CLOCK_BITS)), 1 << _CLOCK_BITS)
        at += _OFF_THE_MIDDLE if at.denominator != 1 else 0
        drift = at - slot
        end = drift + duration * fps
        if drift < 0 < end:
            drift = Fraction(0)
        count, old = 1, 0
        if end < -_DRIFT:
            count = 0
        elif end > _DRIFT:
            count = round(end)
            old = round(drift - Fraction(6, 10)) if drift > _DRIFT else 0
        for copy in range(count):
            yield held[0] if held and copy < old else frame
        held = [frame]
        slot += count
        recent = [old, *recent[:2]]
    for _ in range(sorted(recent)[1]):
        yield held[0]


def _rounded(value: Fraction) -> int:
    """To the nearest integer, halves away from zero (``AV_ROUND_NEAR_INF``)."""
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole
