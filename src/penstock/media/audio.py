"""The sound of a file as 16-bit mono."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.media.container import (
    DEFAULT_LIMITS,
    MediaLimits,
    damaged,
    decoder,
    decoding,
    ends_early,
    opened,
    packet_time,
    too_long,
    truncated,
)
from penstock.media.timeline import placed
from penstock.media.tracks import chosen

Sound = npt.NDArray[np.int16]

_STAMPED = ("mov", "matroska", "ogg")
"""Containers with time stamps of their own for sound; in the others FFmpeg counts samples, or guesses."""


def read_audio(
    path: Path, *, rate: int = 16_000, with_video: bool = False, limits: MediaLimits = DEFAULT_LIMITS
) -> Sound:
    """Decode the sound, mixed to mono and resampled as ``ffmpeg -ac 1 -ar RATE -acodec pcm_s16le`` does it: through the
    same library with the same settings, so to the last sample. Of several tracks the one is read that FFmpeg takes
    (:func:`penstock.media.tracks.chosen`).

    The priming samples of an encoder are cut off, also those of AAC in Matroska, which FFmpeg up to 7 leaves in (21 ms
    at 48 kHz). Each sample lies where its time stamp says (:mod:`penstock.media.timeline`): a hole, however short, is
    silence of that length, and of sound that overlaps, what came first stays. Sound whose rate or channels change is
    resampled part by part.

    Args:
        path: a video or sound file.
        rate: samples per second of the output.
        with_video: let the sound begin when the first video frame is shown: what lies before is cut, what is missing is
            silence. (The reference implementation of SyncNet takes the sound from its own first sample, so that a late
            sound is compared with frames that come before it.)
        limits: what the file may cost.

    Returns:
        int16 ``(n,)``; n may be 0 where the stream is there but empty.

    Raises:
        UsageError: missing, not a media file, no audio stream, damaged, truncated or over the limits.
    """
    with opened(path, limits=limits) as container:
        track = chosen(container.streams.audio)
        if track is None:
            raise UsageError("the file has no sound", where=str(path), todo="Give a file with an audio stream.")
        stream = track.stream
        codec = decoder(stream, path)
        _check(codec.sample_rate, codec.channels, path, limits)
        zero = _first_frame_start(path, limits) if with_video else None
        start, sound = _resampled(container, stream, path, rate, limits)
        if promised := ends_early(sound.size / rate, stream, container):
            truncated(path, "sound", sound.size / rate, promised)
    if zero is None or start is None:
        return sound
    shift = round((start - zero) * rate)
    if shift > limits.seconds * rate:
        too_long(path, limits)
    return np.pad(sound, (shift, 0)) if shift > 0 else sound[-shift:]


def _first_frame_start(path: Path, limits: MediaLimits) -> Fraction | None:
    """When the first video frame is shown, in seconds; None if there is no video."""
    with opened(path, limits=limits) as container, decoding(path):
        track = chosen(container.streams.video)
        if track is None:
            return None
        for frame in container.decode(track.stream):
            return None if frame.pts is None else Fraction(frame.pts) * frame.time_base
    return None


def _check(rate: int, channels: int, path: Path, limits: MediaLimits) -> None:
    if not (0 < rate <= limits.sample_rate and 0 < channels <= limits.channels):
        raise UsageError(
            f"the sound has {channels} channels at {rate} Hz, "
            f"at most {limits.channels} at {limits.sample_rate} Hz are read",
            where=str(path),
            todo="Write it as mono at 16 kHz.",
        )


def _resampled(
    container: Any, stream: Any, path: Path, rate: int, limits: MediaLimits
) -> tuple[Fraction | None, Sound]:
    """When the sound begins, in seconds (None if it does not say), and all of it."""
    line = _Line(rate, path)
    begin: Fraction | None = None
    longest = Fraction(limits.seconds)
    stamped = container.format.name.split(",")[0] in _STAMPED
    for piece in placed(_decoded(container, stream, path), stamped=stamped):
        begin = piece.begin if begin is None else begin
        frame = piece.frame
        _check(frame.sample_rate, len(frame.layout.channels), path, limits)
        if piece.end > longest:
            too_long(path, limits)
        line.add(frame, piece.at, piece.end)
    return begin, line.sound()


class _Line:
    """Mono sound at one rate that is put together from frames at their places."""

    def __init__(self, rate: int, path: Path) -> None:
        self._rate = rate
        self._path = path
        self._parts: list[Sound] = []
        self._size = 0
        self._skip = 0
        """Samples that are yet to be left out, because others are there in their place."""
        self._resampler: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None
        self._as_wanted = {(name, layout, rate) for name in ("s16", "s16p") for layout in ("mono", "1 channels")}
        """Kinds of sound that are taken as they are: the resampler would return the same samples."""
        self._end = Fraction(0)

    def add(self, frame: Any, at: Fraction, end: Fraction) -> None:
        """Put a frame from ``at`` to ``end``, in seconds from the begin; frames come in the order of their places."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self._kind or at != self._end:
            self._flush()
            self._go_to(round(at * self._rate), exactly=at != self._end)
            self._kind = kind
            if kind not in self._as_wanted:
                self._resampler = av.AudioResampler(format="s16", layout="mono", rate=self._rate)
        self._end = end
        if self._resampler is None:
            with decoding(self._path):
                self._keep(frame.to_ndarray().reshape(-1))
            return
        frame.pts = None  # the resampler counts samples: their place is known
        self._convert(frame)

    def sound(self) -> Sound:
        """All that was added, int16 ``(n,)``."""
        self._flush()
        return np.concatenate(self._parts) if self._parts else np.empty(0, np.int16)

    def _go_to(self, place: int, *, exactly: bool) -> None:
        """Let the next sample be number ``place``; where nothing was moved, one more or less is the resampler's."""
        missing = place - self._size
        if not exactly and abs(missing) <= 1:
            return
        self._skip = max(0, -missing)
        if missing > 0:
            self._keep(np.zeros(missing, np.int16))

    def _flush(self) -> None:
        if self._resampler is not None:
            self._convert(None)
            self._resampler = None

    def _convert(self, frame: Any) -> None:
        if self._resampler is None:
            raise AssertionError("nothing was begun")
        with decoding(self._path):
            for piece in self._resampler.resample(frame):
                self._keep(piece.to_ndarray()[0])

    def _keep(self, samples: Sound) -> None:
        left = samples[self._skip :]
        self._skip -= samples.size - left.size
        self._parts.append(left)
        self._size += left.size


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """The frames of a stream that hold sound; one that is damaged ends it."""
    # FFmpeg calls the last packet of a WAV corrupt that is shorter than it read at a time. Whether the file is whole is
    # known from its header.
    whole = container.format.name == "wav"
    with decoding(path):
        for packet in container.demux(stream):
            if packet.is_corrupt and not whole:
                damaged(path, f"a packet of sound at {packet_time(packet)} is cut off")
            for frame in packet.decode():
                if frame.is_corrupt:
                    damaged(path, f"sound at {packet_time(packet)} cannot be decoded")
                if frame.samples and frame.sample_rate:
                    yield frame
