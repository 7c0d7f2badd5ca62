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
    decoding,
    ends_early,
    opened,
    stream_seconds,
    too_long,
    truncated,
)

Frame = npt.NDArray[np.uint8]
T = TypeVar("T")


def read_frames(path: Path, *, fps: float | None = 25, limits: Limits = DEFAULT_LIMITS) -> Iterator[Frame]:
    """Decode a video frame by frame.

    Args:
        path: the video.
        fps: frames per second of the output: frames are repeated and dropped as FFmpeg's ``fps`` filter does it, so a video of
            constant ``fps`` comes out as it is. ``None``: each frame once, whatever its time.
        limits: what the file may cost.

    Yields:
        uint8 ``(H, W, 3)`` BGR, rotated upright; all of one size. 10-bit and other pixel formats are converted as ``ffmpeg`` does.

    Raises:
        UsageError: missing, not a video, no video stream, damaged, truncated, changing its size, or over the limits. Since frames
            are decoded on demand, damage is found where it lies: a caller must not publish what it has before the end.
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
    """An ``av.VideoFrame`` as an upright uint8 ``(H, W, 3)`` BGR array (as ``ffmpeg -pix_fmt bgr24``, bit by bit for 8-bit 4:2:0)."""
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

    A frame's start is rounded to the nearest slot of ``1 / fps``, halves away from zero; each slot from the first frame's on shows the
    last frame that begins at or before it; the last frame is shown until its rounded end.
    """
    slot: int | None = None
    held: T | None = None
    end = 0
    for frame, start, duration in timed:
        at = _rounded(start * fps)
        if slot is None:
            slot = at
        else:
            assert held is not None
            while slot < at:
                yield held
                slot += 1
        held = frame
        end = _rounded((start + duration) * fps)
    if slot is not None and held is not None:
        while slot < end:
            yield held
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
        check_size(stream.codec_context.width, stream.codec_context.height, path, limits)
        # The decoder must not even allocate a picture that the bitstream, unlike the header, says is huge.
        stream.codec_context.options = {"max_pixels": str(limits.side_pixels**2)}
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        usual = Fraction(1) / rate if 0 < rate <= limits.frames_per_second else Fraction(1, 25)
        first: Fraction | None = None
        end: Fraction | None = None
        size: tuple[int, int] | None = None
        count = 0
        for frame in _decoded(container, stream, path):
            count += 1
            if count > limits.frames:
                too_long(path, limits)
            check_size(frame.width, frame.height, path, limits)
            size = size or (frame.width, frame.height)
            if size != (frame.width, frame.height):
                raise UsageError(
                    f"the picture's size changes from {size[0]}x{size[1]} to {frame.width}x{frame.height}",
                    where=str(path),
                    todo="Write a video of one size.",
                )
            start = end if frame.pts is None else Fraction(frame.pts) * frame.time_base
            start = Fraction(0) if start is None else start
            if end is not None and first is not None and start <= last:
                continue  # a frame at the time of the one before it is never shown
            duration = Fraction(frame.duration) * frame.time_base if frame.duration and frame.duration > 0 else usual
            first = start if first is None else first
            last = start
            end = start + duration
            if end - first > Fraction(limits.seconds):
                too_long(path, limits)
            yield frame, start, duration
        promised = stream_seconds(stream, container)
        if first is None or end is None:
            if promised and promised > 0.1:
                truncated(path, "video", 0.0, promised)
            return
        if ends_early(float(end - first), promised, container):
            truncated(path, "video", float(end - first), promised or 0.0)


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    with decoding(path):
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise UsageError("the file is damaged or truncated", where=str(path), todo="Write or fetch the file again.")
            yield from packet.decode()
