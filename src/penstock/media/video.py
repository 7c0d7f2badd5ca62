"""Frames of a video: upright, 8-bit BGR, at a constant rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from penstock.foundation.errors import UsageError
from penstock.media.container import (
    DEFAULT_LIMITS,
    MediaLimits,
    check_size,
    damaged,
    decoder,
    decoding,
    ends_early,
    opened,
    packet_time,
    too_long,
    truncated,
)
from penstock.media.rate import at_program_rate, at_rate
from penstock.media.rotation import Turn, mark, turn_of
from penstock.media.tracks import chosen

Frame = npt.NDArray[np.uint8]
Rule = Literal["fps", "program"]
FindDecoder = Callable[[Any, Path], Any]
"""A stream and its file → a decoder, as :func:`penstock.media.container.decoder`."""

_CHEAP = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p")
"""Formats that libswscale turns into BGR without interpolating the chroma, whatever the frame says about itself, where
the height is even.
"""


def read_frames(
    path: Path, *, fps: float | None = 25, rule: Rule = "fps", limits: MediaLimits = DEFAULT_LIMITS
) -> Iterator[Frame]:
    """Decode a video frame by frame.

    Args:
        path: the video.
        fps: frames per second of the output: frames are repeated and dropped, so a video of constant ``fps`` comes out
            as it is. ``None``: each frame once, whatever its time.
        rule: which frames make the rate. ``fps``: each slot shows what is on the screen at its time, as
            ``ffmpeg -vf setpts=PTS-STARTPTS,fps=25`` does. ``program``: as ``ffmpeg -r 25`` does, which the reference
            implementation of SyncNet calls; it lags (see :func:`penstock.media.rate.at_program_rate`). Both count
            slots from the first frame, with which :func:`penstock.media.read_audio` lets the sound begin; plain
            ``ffmpeg`` counts from the file's begin, which is another time where the sound begins first.
        limits: what the file may cost.

    Yields:
        uint8 ``(H, W, 3)`` BGR, upright (turned and mirrored as the display matrix says), all of one size, in stored
        pixels (they need not be square). 10 and 12 bit, 4:2:2, 4:4:4, grey, limited and full range become what
        FFmpeg 4 to 7.0 makes of them, bit by bit. Interlaced frames come as they are stored, both fields woven.

    Raises:
        UsageError: missing, not a video, no video stream, damaged, truncated, changing its size, or over the limits.
            Since frames are decoded on demand, damage is found where it lies: a caller must not publish what it has
            before the end.
    """
    to_bgr = BgrConverter()
    for frame in read_raw_frames(path, fps=fps, rule=rule, limits=limits):
        with decoding(path):
            image = to_bgr(frame)
        yield image


def frame_times(path: Path, *, limits: MediaLimits = DEFAULT_LIMITS) -> npt.NDArray[np.float64]:
    """When each frame is shown: float64 ``(n,)``, seconds from the start of the file, strictly increasing.

    Raises:
        UsageError: as :func:`read_frames`.
    """
    return np.array([float(start) for _, start, _ in _timed(path, limits)], np.float64)


class BgrConverter:
    """Turns the frames of a video, ``av.VideoFrame``, into upright uint8 ``(H, W, 3)`` BGR arrays, as ``ffmpeg -pix_fmt
    bgr24`` up to 7.0 does it, bit by bit.

    libswscale's context is kept from frame to frame: setting it up takes ten times as long as converting a small
    picture. It is state, so each thread has a converter of its own.
    """

    def __init__(self) -> None:
        self._scaler = VideoReformatter()

    def __call__(self, frame: Any) -> Frame:
        """One frame; it may differ in size and format from the one before."""
        converted = self._scaler.reformat(plain(frame), format="bgr24", interpolation="BICUBIC")
        image = np.asarray(converted.to_ndarray(), dtype=np.uint8)
        turn = turn_of(frame)
        return turn.apply(image) if turn else image


def plain(frame: Any) -> Any:
    """The frame without what it says about the place of its chroma and about fields.

    Since 7.1 libswscale heeds both when it interpolates the chroma. The published numbers of the reference were made
    with older ones, and an 8-bit 4:2:0 frame is not interpolated at all: so that bit depth makes no difference, nor
    does it here.
    """
    given = frame.format
    if given.name in _CHEAP and not frame.height % 2 and not frame.interlaced_frame:
        return frame
    if all((part.width, part.height) == (frame.width, frame.height) for part in given.components):
        return frame
    out = av.VideoFrame(frame.width, frame.height, given.name)
    out.colorspace, out.color_range = frame.colorspace, frame.color_range
    for source, target in zip(frame.planes, out.planes, strict=True):
        rows = np.frombuffer(source, np.uint8).reshape(-1, source.line_size)[: target.height]
        copy = np.zeros((target.height, target.line_size), np.uint8)
        width = min(source.line_size, target.line_size)
        copy[: len(rows), :width] = rows[:, :width]
        target.update(copy.tobytes())
    return out


def read_raw_frames(
    path: Path,
    *,
    fps: float | None,
    rule: Rule = "fps",
    limits: MediaLimits = DEFAULT_LIMITS,
    find_decoder: FindDecoder = decoder,
) -> Iterator[Any]:
    """Like :func:`read_frames`, but ``av.VideoFrame``: the decoder's own planes, not yet turned upright.

    ``find_decoder`` is given the stream that is read, and may know a better decoder than FFmpeg's first choice.
    """
    timed = _timed(path, limits, rule, find_decoder)
    if fps is None:
        for frame, _, _ in timed:
            yield frame
        return
    if not 0 < fps <= limits.frames_per_second:
        raise ValueError(f"fps is {fps}, not within (0, {limits.frames_per_second}]")
    most = math.ceil(limits.seconds * fps)
    chosen = (at_rate if rule == "fps" else at_program_rate)(
        _from_the_first(timed), Fraction(fps).limit_denominator(1001)
    )
    for count, frame in enumerate(chosen):
        if count >= most:
            too_long(path, limits)
        yield frame


def _from_the_first(timed: Iterator[tuple[Any, Fraction, Fraction]]) -> Iterator[tuple[Any, Fraction, Fraction]]:
    """The same with starts counted from the first frame's."""
    first: Fraction | None = None
    for frame, start, duration in timed:
        first = start if first is None else first
        yield frame, start - first, duration


def _timed(
    path: Path, limits: MediaLimits, rule: Rule = "fps", find_decoder: FindDecoder = decoder
) -> Iterator[tuple[Any, Fraction, Fraction]]:
    """All frames of the first video stream with start and duration in seconds."""
    with opened(path, limits=limits) as container:
        track = chosen(container.streams.video)
        if track is None:
            raise UsageError("the file has no video", where=str(path), todo="Give a file with a video stream.")
        stream = track.stream
        said = decoder(stream, path)
        check_size(said.width, said.height, path, limits)
        codec = find_decoder(stream, path)
        # The decoder must not even allocate a picture that the bitstream, unlike the header, says is huge.
        codec.options = {**codec.options, "max_pixels": str(limits.side_pixels**2)}
        clock = _Clock(stream, path, limits)
        # An MP4 says how long a frame lasts in the order of decoding; where pictures are reordered, that says nothing
        # about showing. FFmpeg 7 then takes the average instead, and its filter shows the last frame as long as the
        # one before it.
        mp4 = container.format.name.startswith("mov")
        waiting: tuple[Any, Fraction, Fraction] | None = None
        gap: Fraction | None = None
        turn: Turn | None = None
        for frame in _decoded(container, stream, codec, path):
            with decoding(path):
                turn = turn_of(frame) if turn is None else turn
            mark(frame, turn)
            clock.check(frame)
            placed = clock.place(frame)
            if placed is None:
                continue
            start, duration = placed
            if rule == "program" and mp4 and codec.has_b_frames:
                duration = clock.usual
            if waiting is not None:
                gap = start - waiting[1]
                yield waiting
            waiting = (frame, start, duration)
        if waiting is not None:
            last = gap if rule == "fps" and mp4 and codec.has_b_frames else None
            yield (*waiting[:2], waiting[2] if last is None else last)
        if promised := ends_early(clock.length, stream, container):
            truncated(path, "video", clock.length, promised)


class _Clock:
    """Where each frame of a stream lies in time, within the limits."""

    def __init__(self, stream: Any, path: Path, limits: MediaLimits) -> None:
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.usual = Fraction(1) / rate if 0 < rate <= limits.frames_per_second else Fraction(1, 25)
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
        duration = Fraction(frame.duration) * frame.time_base if frame.duration and frame.duration > 0 else self.usual
        self._first = start if self._first is None else self._first
        self._last, self._end = start, start + duration
        if self._end - self._first > Fraction(self._limits.seconds):
            too_long(self._path, self._limits)
        return start, duration


def _decoded(container: Any, stream: Any, codec: Any, path: Path) -> Iterator[Any]:
    with decoding(path):
        for packet in container.demux(stream):
            if packet.is_corrupt:
                damaged(path, f"a packet of the video at {packet_time(packet)} is cut off")
            for frame in codec.decode(packet):
                if frame.is_corrupt:
                    damaged(path, f"the picture at {packet_time(packet)} cannot be decoded whole")
                yield frame
