"""Frames of a video: upright, 8-bit BGR, at a constant rate."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from penstock.errors import UsageError
from penstock.media.container import (
    DEFAULT_LIMITS,
    Limits,
    check_size,
    decoder,
    decoding,
    ends_early,
    opened,
    too_long,
    truncated,
)

Frame = npt.NDArray[np.uint8]
T = TypeVar("T")


def read_frames(path: Path, *, fps: float | None = 25, limits: Limits = DEFAULT_LIMITS) -> Iterator[Frame]:
    """Decode a video frame by frame.

    Args:
        path: the video.
        fps: frames per second of the output: frames are repeated and dropped as FFmpeg's ``fps`` filter does it, so a
            video of constant ``fps`` comes out as it is. ``None``: each frame once, whatever its time.
        limits: what the file may cost.

    Yields:
        uint8 ``(H, W, 3)`` BGR, rotated upright; all of one size. 10-bit and other pixel formats are converted as
        ``ffmpeg`` does.

    Raises:
        UsageError: missing, not a video, no video stream, damaged, truncated, changing its size, or over the limits.
            Since frames are decoded on demand, damage is found where it lies: a caller must not publish what it has
            before the end.
    """
    for frame in read_raw_frames(path, fps=fps, limits=limits):
        yield to_bgr(frame)


def frame_times(path: Path, *, limits: Limits = DEFAULT_LIMITS) -> npt.NDArray[np.float64]:
    """When each frame is shown: float64 ``(n,)``, seconds from the start of the file, strictly increasing.

    Raises:
        UsageError: as :func:`read_frames`.
    """
    return np.array([float(start) for _, start, _ in _timed(path, limits)], np.float64)


def to_bgr(frame: Any) -> Frame:
    """An ``av.VideoFrame`` as an upright uint8 ``(H, W, 3)`` BGR array (as ``ffmpeg -pix_fmt bgr24``, bit by bit for
    8-bit 4:2:0).
    """
    image: Frame = frame.to_ndarray(format="bgr24")
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image


def read_raw_frames(path: Path, *, fps: float | None, limits: Limits = DEFAULT_LIMITS) -> Iterator[Any]:
    """Like :func:`read_frames`, but ``av.VideoFrame``: the decoder's own planes, not yet turned upright."""
    timed = _timed(path, limits)
    if fps is None:
        for frame, _, _ in timed:
            yield frame
        return
    if not 0 < fps <= limits.frames_per_second:
        raise ValueError(f"fps is {fps}, not within (0, {limits.frames_per_second}]")
    most = math.ceil(limits.seconds * fps)
    for count, frame in enumerate(at_rate(timed, Fraction(fps).limit_denominator(1001))):
        if count >= most:
            too_long(path, limits)
        yield frame


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


def _rounded(value: Fraction) -> int:
    """To the nearest integer, halves away from zero (``AV_ROUND_NEAR_INF``)."""
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def _timed(path: Path, limits: Limits) -> Iterator[tuple[Any, Fraction, Fraction]]:
    """All frames of the first video stream with start and duration in seconds."""
    with opened(path, limits=limits) as container:
        if not container.streams.video:
            raise UsageError("the file has no video", where=str(path), todo="Give a file with a video stream.")
        stream = container.streams.video[0]
        codec = decoder(stream, path)
        check_size(codec.width, codec.height, path, limits)
        # The decoder must not even allocate a picture that the bitstream, unlike the header, says is huge.
        codec.options = {"max_pixels": str(limits.side_pixels**2)}
        clock = _Clock(stream, path, limits)
        for frame in _decoded(container, stream, path):
            clock.check(frame)
            placed = clock.place(frame)
            if placed is not None:
                yield frame, *placed
        if promised := ends_early(clock.length, stream, container):
            truncated(path, "video", clock.length, promised)


class _Clock:
    """Where each frame of a stream lies in time, within the limits."""

    def __init__(self, stream: Any, path: Path, limits: Limits) -> None:
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        self._usual = Fraction(1) / rate if 0 < rate <= limits.frames_per_second else Fraction(1, 25)
        self._path = path
        self._limits = limits
        self._size: tuple[int, int] | None = None
        self._count = 0
        self._first: Fraction | None = None
        self._last = self._end = Fraction(0)

    @property
    def length(self) -> float:
        """Seconds from the first frame's start to the last one's end."""
        return 0.0 if self._first is None else float(self._end - self._first)

    def check(self, frame: Any) -> None:
        """Refuse too many frames, and frames too large or of changing size."""
        self._count += 1
        if self._count > self._limits.frames:
            too_long(self._path, self._limits)
        check_size(frame.width, frame.height, self._path, self._limits)
        size = (frame.width, frame.height)
        if self._size not in (None, size):
            raise UsageError(
                f"the picture's size changes from {self._size} to {size}",
                where=str(self._path),
                todo="Write a video of one size.",
            )
        self._size = size

    def place(self, frame: Any) -> tuple[Fraction, Fraction] | None:
        """Start and duration in seconds; None for a frame that does not come after the one before it: it is never
        shown.
        """
        start = self._end if frame.pts is None else Fraction(frame.pts) * frame.time_base
        if self._first is not None and start <= self._last:
            return None
        duration = Fraction(frame.duration) * frame.time_base if frame.duration and frame.duration > 0 else self._usual
        self._first = start if self._first is None else self._first
        self._last, self._end = start, start + duration
        if self._end - self._first > Fraction(self._limits.seconds):
            too_long(self._path, self._limits)
        return start, duration


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    with decoding(path):
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise UsageError(
                    "the file is damaged or truncated", where=str(path), todo="Write or fetch the file again."
                )
            yield from packet.decode()
