"""The sound of a file as 16-bit mono."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from penstock.errors import UsageError
from penstock.media.container import (
    DEFAULT_LIMITS,
    Limits,
    decoder,
    decoding,
    ends_early,
    opened,
    too_long,
    truncated,
)

Sound = npt.NDArray[np.int16]

_GAP_SECONDS = Fraction(1, 10)
"""A hole in the time stamps longer than this is filled with silence (``aresample=async=1`` does the same)."""


def read_audio(path: Path, *, rate: int = 16_000, with_video: bool = False, limits: Limits = DEFAULT_LIMITS) -> Sound:
    """Decode the first audio stream, mixed to mono and resampled as ``ffmpeg -ac 1 -ar RATE -acodec pcm_s16le`` does
    it: through the same library with the same settings, so to the last sample.

    The priming samples of an encoder are cut off, also those of AAC in Matroska, which FFmpeg up to 7 leaves in (21 ms
    at 48 kHz). A hole in the time stamps is silence, as with ``aresample=async=1``.

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
        if not container.streams.audio:
            raise UsageError("the file has no sound", where=str(path), todo="Give a file with an audio stream.")
        stream = container.streams.audio[0]
        codec = decoder(stream, path)
        if not (0 < codec.sample_rate <= limits.sample_rate and 0 < codec.channels <= limits.channels):
            raise UsageError(
                f"the sound has {codec.channels} channels at {codec.sample_rate} Hz, "
                f"at most {limits.channels} at {limits.sample_rate} Hz are read",
                where=str(path),
                todo="Write it as mono at 16 kHz.",
            )
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


def _first_frame_start(path: Path, limits: Limits) -> Fraction | None:
    """When the first video frame is shown, in seconds; None if there is no video."""
    with opened(path, limits=limits) as container, decoding(path):
        if not container.streams.video:
            return None
        for frame in container.decode(container.streams.video[0]):
            return None if frame.pts is None else Fraction(frame.pts) * frame.time_base
    return None


def _resampled(container: Any, stream: Any, path: Path, rate: int, limits: Limits) -> tuple[Fraction | None, Sound]:
    """When the sound begins, in seconds (None if it does not say), and all of it."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    pieces: list[Sound] = []
    begin: Fraction | None = None
    heard = Fraction(0)  # seconds put into the resampler since ``begin``
    for frame in _decoded(container, stream, path):
        if not frame.samples or not frame.sample_rate:
            continue
        length = Fraction(frame.samples, frame.sample_rate)
        if frame.pts is not None:
            start = Fraction(frame.pts) * frame.time_base
            begin = start if begin is None else begin
            gap = start - begin - heard
            if gap > Fraction(limits.seconds):
                too_long(path, limits)
            if gap > _GAP_SECONDS:
                pieces += _converted(resampler, None, path)
                resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
                pieces.append(np.zeros(round(gap * rate), np.int16))
                heard += gap
        heard += length
        if heard > Fraction(limits.seconds):
            too_long(path, limits)
        frame.pts = (
            None  # the resampler counts samples; time stamps that jitter by less than a gap are not its business
        )
        pieces += _converted(resampler, frame, path)
    if heard:
        pieces += _converted(resampler, None, path)
    return begin, np.concatenate(pieces) if pieces else np.empty(0, np.int16)


def _converted(resampler: av.AudioResampler, frame: Any, path: Path) -> list[Sound]:
    with decoding(path):
        return [piece.to_ndarray()[0] for piece in resampler.resample(frame)]


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    with decoding(path):
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise UsageError(
                    "the file is damaged or truncated", where=str(path), todo="Write or fetch the file again."
                )
            yield from packet.decode()
