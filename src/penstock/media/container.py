"""Opening media files that nobody has checked before, and what they say they hold."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import av
import av.error

from penstock.foundation.errors import PenstockError, UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.media_kinds import MATROSKA, WAV, recognise, unread
from penstock.media.ebml import damaged_at
from penstock.media.rotation import turn_of
from penstock.media.tracks import chosen
from penstock.media.wave import promised_bytes

_TRUSTED_DURATION = ("mov", "matroska", "avi", "flac")
"""Containers whose header says how long the whole is, so that a shorter content means a truncated file. (That of WAV
says so in bytes: see :func:`opened`.)"""
_FLAC_ROUNDING_S = 0.001
_UNKNOWN_FRAMES = 0x3FF0_0000
"""What an AVI says that was written into a pipe, or a little less than that: no such file is read."""
_SWALLOW_ERRORS = ("hevc", "mjpeg", "flac")
"""Decoders that neither mark a damaged picture or sound nor refuse it, unless they are told to."""
AGAIN = "Write or fetch the file again."


@dataclass(frozen=True)
class MediaLimits:
    """What a media file may cost at most. Sizes in bytes and pixels, times in seconds, rates per second."""

    file_bytes: int = 2 << 30
    side_pixels: int = 4096
    seconds: float = 600.0
    frames_per_second: float = 240.0
    sample_rate: int = 384_000
    channels: int = 64

    @property
    def frames(self) -> int:
        """Most frames that are decoded of one file."""
        return int(self.seconds * self.frames_per_second)


DEFAULT_LIMITS = MediaLimits()

_DURATION_TAG = re.compile(r"(\d{2}):([0-5]\d):([0-5]\d(?:\.\d{1,9})?)")


@dataclass(frozen=True)
class VideoInfo:
    """A video stream: ``width`` and ``height`` as shown (after rotation), nominal ``fps`` (0 if unknown),
    ``duration_s`` (None if unsaid).
    """

    width: int
    height: int
    fps: float
    duration_s: float | None
    codec: str


@dataclass(frozen=True)
class AudioInfo:
    """An audio stream: samples per second, channels, ``duration_s`` (None if unsaid)."""

    rate: int
    channels: int
    duration_s: float | None
    codec: str


@dataclass(frozen=True)
class MediaInfo:
    """What a file says it holds. ``format`` is FFmpeg's name of the container; ``remarks`` say which track is read
    where there are several.
    """

    format: str
    duration_s: float | None
    video: VideoInfo | None
    audio: AudioInfo | None
    remarks: tuple[str, ...] = ()


def probe(path: Path, *, limits: MediaLimits = DEFAULT_LIMITS) -> MediaInfo:
    """Read a file's headers.

    Raises:
        UsageError: missing, empty, not a recognised container, or over the limits.
    """
    with opened(path, limits=limits) as container:
        video, audio = chosen(container.streams.video), chosen(container.streams.audio)
        whole = _whole_seconds(container)
        info = MediaInfo(
            format=container.format.name,
            duration_s=whole,
            video=None if video is None else _video_info(container, video.stream, path, limits),
            audio=None if audio is None else _audio_info(container, audio.stream, path),
            remarks=tuple(track.remark for track in (video, audio) if track is not None and track.remark),
        )
    if whole is not None and whole > limits.seconds:
        too_long(path, limits)
    if info.video is None and info.audio is None:
        raise UsageError("the file holds neither video nor sound", where=str(path), todo="Give a video or sound file.")
    return info


def _audio_info(container: Any, stream: Any, path: Path) -> AudioInfo:
    codec = decoder(stream, path)
    return AudioInfo(codec.sample_rate, codec.channels, stream_seconds(stream, container), codec.name)


def _video_info(container: Any, stream: Any, path: Path, limits: MediaLimits) -> VideoInfo:
    codec = decoder(stream, path)
    width, height = codec.width, codec.height
    check_size(width, height, path, limits)
    # The display matrix is the stream's side data, which PyAV hands out with the first decoded frame only.
    with decoding(path):
        frame = next(container.decode(stream), None)
    if frame is not None and turn_of(frame).sideways:
        width, height = height, width
    rate = stream.average_rate or stream.guessed_rate or Fraction(0)
    return VideoInfo(width, height, float(rate), stream_seconds(stream, container), codec.name)


def decoder(stream: Any, path: Path) -> Any:
    """The decoder of a stream.

    Raises:
        UsageError: the stream's codec is not known.
    """
    if stream.codec_context is None:
        raise UsageError(
            f"the {stream.type} is in a codec that is not known, or its header is damaged",
            where=str(path),
            todo="Write it as H.264 and AAC, or other common codecs.",
        )
    codec = stream.codec_context
    if codec.name in _SWALLOW_ERRORS:
        codec.options = {"err_detect": "crccheck+explode"}
    return codec


def packet_time(packet: Any) -> str:
    """When what a packet holds is due, for messages."""
    time = packet.dts if packet.pts is None else packet.pts
    return "an unknown time" if time is None else f"{float(time * packet.time_base):.2f} s"


def stream_seconds(stream: Any, container: Any) -> float | None:
    """How long a stream says it is, in seconds; None where it does not say."""
    said = _own_seconds(stream, container)
    return said if said is not None else _whole_seconds(container)


def _whole_seconds(container: Any) -> float | None:
    """How long a file says it is, in seconds; None where it does not say."""
    if not container.duration or container.duration <= 0 or _has_placeholders(container):
        return None
    start = container.start_time or 0
    # Matroska's header says when the last frame ends. (Where it says nothing, FFmpeg subtracts the start itself.)
    late = start if container.format.name.startswith("matroska") and 0 < start < container.duration else 0
    return float((container.duration - late) / av.time_base)


def _has_placeholders(container: Any) -> bool:
    """Whether an AVI was written into a pipe, by a program that could not know its length."""
    return container.format.name == "avi" and any(stream.frames >= _UNKNOWN_FRAMES for stream in container.streams)


def _own_seconds(stream: Any, container: Any) -> float | None:
    """What the header says about this stream alone."""
    if container.format.name.startswith("matroska"):
        # A tag holds the time at which the stream ends. ``stream.duration`` is a guess of FFmpeg's, which takes the
        # sound's for that of a picture of two frames.
        tag = _DURATION_TAG.fullmatch(stream.metadata.get("DURATION", ""))
        if tag is None:
            return None
        hours, minutes, seconds = tag.groups()
        end = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
        length = end - float((stream.start_time or 0) * stream.time_base)
        return length if length > 0 else None
    if stream.duration and stream.duration > 0 and stream.time_base and not _has_placeholders(container):
        return float(stream.duration * stream.time_base)
    return None


def check_size(width: int, height: int, path: Path, limits: MediaLimits) -> None:
    """Refuse pictures larger than the limit (or of no size)."""
    if not (0 < width <= limits.side_pixels and 0 < height <= limits.side_pixels):
        raise UsageError(
            f"the picture is {width}x{height} pixels, at most {limits.side_pixels}x{limits.side_pixels} are read",
            where=str(path),
            todo="Scale the video down.",
        )


def too_long(path: Path, limits: MediaLimits) -> NoReturn:
    """Refuse a file that lasts longer than the limit."""
    raise UsageError(
        f"the file is longer than the {limits.seconds:g} s that are read",
        where=str(path),
        todo="Cut it into shorter cases.",
    )


def truncated(path: Path, what: str, got: float, promised: float) -> NoReturn:
    """Refuse a file whose content ends before its header says so."""
    raise UsageError(
        f"the file is truncated: its header promises {promised:.2f} s of {what}, {got:.2f} s are there",
        where=str(path),
        todo=AGAIN,
    )


def ends_early(got: float, stream: Any, container: Any) -> float:
    """The seconds that a header promises for a stream if its content of ``got`` seconds falls short of them, else 0.

    A tenth of a second and two per cent are forgiven: containers round, and streams of one file differ in length. FLAC
    counts its samples, and a damaged part of it is passed over without a word: nothing is forgiven.
    """
    if container.format.name.split(",")[0] not in _TRUSTED_DURATION:
        return 0.0
    promised = _own_seconds(stream, container)
    if promised is None and len(container.streams) == 1:
        promised = _whole_seconds(container)
    if promised is None:
        return 0.0
    forgiven = _FLAC_ROUNDING_S if container.format.name == "flac" else max(0.1, 0.02 * promised)
    return promised if got < promised - forgiven else 0.0


@contextlib.contextmanager
def opened(path: Path, *, limits: MediaLimits = DEFAULT_LIMITS) -> Iterator[Any]:
    """Open a media file for reading, as an ``av`` input container.

    Raises:
        UsageError: not there, not a regular file, empty, too large, not a recognised container.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open_regular(path, where=str(path), todo="Give a video or sound file."))
        size = os.fstat(file.fileno()).st_size
        if not size:
            raise UsageError("the file is empty", where=str(path), todo=AGAIN)
        if size > limits.file_bytes:
            raise UsageError(
                f"the file has {size} bytes, at most {limits.file_bytes} are read",
                where=str(path),
                todo="Cut it shorter.",
            )
        with decoding(path):
            found = recognise(file)
        if found is None or not found.demuxer:
            what, todo = unread(file, ("video", "audio")) if found is None else (f"this is a {found.name} picture", "")
            raise UsageError(what, where=str(path), todo=todo or "Give a video or sound file.")
        options = {"format_whitelist": found.demuxer, "protocol_whitelist": "file"}
        if found is WAV:
            options |= _wav_options(file, size, path)
        if found is MATROSKA and (lost := damaged_at(file, size)) is not None:
            damaged(path, f"at byte {lost} there is nothing that belongs there")
        file.seek(0)
        try:
            container = stack.enter_context(
                av.open(
                    file,
                    mode="r",
                    format=found.demuxer,
                    options=options,
                    io_open=_refuse,
                    metadata_errors="replace",
                )
            )
        except Exception as error:
            raise UsageError(
                f"this is a damaged {found.name} file: {_reason(error)}", where=str(path), todo=AGAIN
            ) from error
        yield container


def _wav_options(file: BinaryIO, file_bytes: int, path: Path) -> dict[str, str]:
    """How FFmpeg is to read a WAV: to the end of the file where its header makes no promise; else it must be kept."""
    length = promised_bytes(file, file_bytes)
    if length is None:
        return {"ignore_length": "1"}
    promised, there = length
    if promised > there:
        raise UsageError(
            f"the file is truncated: its header promises {promised} bytes of sound, {max(0, there)} are there",
            where=str(path),
            todo=AGAIN,
        )
    return {}


def _refuse(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    """Open nothing for a media file that refers to other files."""
    raise PermissionError("a media file may not refer to other files")


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises about a file's content into one :class:`UsageError`.

    Decoders of hostile files fail in ways that nobody has listed (``ValueError``, ``struct.error``, ``MemoryError``,
    FFmpeg's own): none of them may end more than the work on this file.
    """
    try:
        yield
    except PenstockError:
        raise
    except Exception as error:
        raise UsageError(f"the file is damaged or truncated: {_reason(error)}", where=str(path), todo=AGAIN) from error


def _reason(error: Exception) -> str:
    """An exception of a decoder in a few words."""
    if isinstance(error, MemoryError):
        return "out of memory"
    said = " ".join(str(getattr(error, "strerror", None) or error).split())[:200].rstrip(".")
    return said.lower() if isinstance(error, av.error.FFmpegError) else f"{type(error).__name__}: {said}"


def damaged(path: Path, what: str) -> NoReturn:
    """Refuse a file of which a part cannot be decoded as it was written."""
    raise UsageError(f"the file is damaged or truncated: {what}", where=str(path), todo=AGAIN)
