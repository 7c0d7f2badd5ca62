"""Where each decoded piece of sound belongs in time.

Time stamps are not exact: Matroska rounds them to milliseconds, and so does a detour through a format that does; the
stamps of a live recording tremble. None of that may put silence into a sound or take samples out. A real hole moves all
that comes after it, an overlap too, and so does sound that runs slow, bit by bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

ROUNDING = Fraction(2, 1000)
"""Seconds by which a time stamp may be off because it was rounded: twice by a millisecond, as it was cut off."""
TREMBLE = Fraction(20, 1000)
"""A piece that is early or late by up to this, and of whose followers one is not, has a time stamp that trembles."""
RESTART = Fraction(1)
"""A time stamp that lies back by more than this begins a new time line, as where two files were joined."""
FOLLOWERS = 25


@dataclass(frozen=True)
class Piece:
    """A decoded frame of sound, and where its first sample belongs."""

    frame: Any
    at: Fraction
    """Seconds from the beginning of the sound."""
    end: Fraction
    """Where its last sample ends."""
    begin: Fraction | None
    """When the sound begins, in seconds by its time stamps; ``None``: it has none so far."""


@dataclass(frozen=True)
class _Counted:
    frame: Any
    before: Fraction
    """Seconds of sound that come before this frame."""
    length: Fraction
    zero: Fraction | None
    """When the sound would have begun, by this frame's time stamp, without a hole; ``None``: it has none."""


def placed(frames: Iterable[Any], *, stamped: bool) -> Iterator[Piece]:
    """Decoded frames with their places: each follows the one before it, unless the time stamps leave a hole or overlap
    by more than they may be off.

    Args:
        frames: ``av.AudioFrame``, none empty.
        stamped: whether the container has time stamps. Otherwise they are FFmpeg's counting, or its guess.
    """
    begin: Fraction | None = None
    origin = Fraction(0)  # of the time line: ``begin``, until another one follows
    shift = Fraction(0)  # the holes so far, less the overlaps
    for counted, followers in _with_followers(_counted(frames)):
        if counted.zero is not None:
            if begin is None:
                begin = origin = counted.zero
            late = counted.zero - origin - shift
            if late < -RESTART:
                origin, late = counted.zero - shift, Fraction(0)
            if stamped:
                line = origin + shift
                shift += _displacement(late, (f.zero - line for f in followers if f.zero is not None))
        at = counted.before + shift
        yield Piece(counted.frame, at, at + counted.length, begin)


def _displacement(late: Fraction, followers: Iterable[Fraction]) -> Fraction:
    """By how much a frame that is ``late`` (early, if below 0) is to be moved, given how late its followers are."""
    if abs(late) <= ROUNDING:
        return Fraction(0)
    if abs(late) > TREMBLE:
        return late
    least = min((late, *followers)) if late > 0 else max((late, *followers))
    return least if (least > ROUNDING if late > 0 else least < -ROUNDING) else Fraction(0)


def _counted(frames: Iterable[Any]) -> Iterator[_Counted]:
    before = Fraction(0)
    for frame in frames:
        length = _length(frame.samples, frame.sample_rate)
        yield _Counted(frame, before, length, None if frame.pts is None else frame.pts * frame.time_base - before)
        before += length


@lru_cache
def _length(samples: int, rate: int) -> Fraction:
    return Fraction(samples, rate)


def _with_followers(frames: Iterator[_Counted]) -> Iterator[tuple[_Counted, deque[_Counted]]]:
    """Each frame with up to :data:`FOLLOWERS` that come after it, which are to be looked at before the next."""
    waiting: deque[_Counted] = deque()
    for frame in frames:
        waiting.append(frame)
        if len(waiting) > FOLLOWERS:
            yield waiting.popleft(), waiting
    while waiting:
        yield waiting.popleft(), waiting
