"""The reference implementation's lossy frames: every frame through FFmpeg's JPEG encoder and back.

joonson/syncnet_python lets ``ffmpeg -i crop -f image2 -threads 1 %06d.jpg`` write the frames that it scores. Without a
quality option FFmpeg spends 200 kbit/s on them, a few kilobytes a frame, and its rate control remembers the frames
before. That moves LSE-D by up to several per cent, so it is repeated here with the same encoder and settings; the JPEG
is read back as OpenCV reads it.

What the encoder is given is bit by bit what FFmpeg 4 to 7.0 gives it, for planar 4:2:0, 4:2:2 and 4:4:4 of 8 to 14
bits, in limited and full range, grey, turned and mirrored. (RGB, 4:1:1, 4:4:0, and 4:2:2 on its side go two steps of 8
bits where FFmpeg goes one of 15.) FFmpeg 7.1 changed the rounding when it stretches limited to full range; the older
one is repeated here, because that is what the published numbers were made with. The encoder writes its version into
each file and counts those bytes, too: another version than the reference's moves a frame now and then by one quantiser
step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation

from penstock.media.container import DEFAULT_LIMITS, MediaLimits
from penstock.media.rotation import Turn, turn_of
from penstock.media.video import Frame, plain, read_raw_frames

_FULL = 2
"""PyAV's number for full range."""
_DEEP = re.compile(r"yuv4(20|22|44)p(9|10|12|14)le")
_BIT_RATE = 200_000
_BIT_RATE_TOLERANCE = 4_000_000


# Libswscale's ordered dither, for samples that lose bits; V planes begin in another column than Y and U.
_DITHER = np.array(
    [
        [36, 68, 60, 92, 34, 66, 58, 90],
        [100, 4, 124, 28, 98, 2, 122, 26],
        [52, 84, 44, 76, 50, 82, 42, 74],
        [116, 20, 108, 12, 114, 18, 106, 10],
        [32, 64, 56, 88, 38, 70, 62, 94],
        [96, 0, 120, 24, 102, 6, 126, 30],
        [48, 80, 40, 72, 54, 86, 46, 78],
        [112, 16, 104, 8, 118, 22, 110, 14],
    ]
)
_V_COLUMN = 3


@cache
def _stretch(depth: int, luma: bool) -> npt.NDArray[np.int64]:
    """Libswscale's limited-to-full-range conversion: sample of ``depth`` bits → 15 bits."""
    wide = np.arange(1 << depth, dtype=np.int64) << (15 - depth)
    limit, factor, offset, shift = (30_189, 19_077, 39_057_361, 14) if luma else (30_775, 4_663, 9_289_992, 12)
    stretched: npt.NDArray[np.int64] = (np.minimum(wide, limit) * factor - offset) >> shift
    return stretched


def read_reference_frames(path: Path, *, fps: float = 25, limits: MediaLimits = DEFAULT_LIMITS) -> Iterator[Frame]:
    """Like :func:`penstock.media.read_frames` with ``rule="program"``, and with the loss of the reference's JPEG files.

    Yields:
        uint8 ``(H, W, 3)`` BGR.

    Raises:
        UsageError: as :func:`penstock.media.read_frames`.
    """
    return through_jpeg(read_raw_frames(path, fps=fps, rule="program", limits=limits), fps=fps)


def bgr_through_jpeg(frames: Iterable[Frame], *, fps: float = 25) -> Iterator[Frame]:
    """The same loss for frames that are already uint8 ``(H, W, 3)`` BGR arrays (a face crop); they become 4:2:0
    first.
    """
    return through_jpeg(
        (av.VideoFrame.from_ndarray(frame, format="bgr24").reformat(format="yuv420p") for frame in frames), fps=fps
    )


def through_jpeg(frames: Iterable[Any], *, fps: float) -> Iterator[Frame]:
    """Encode ``av.VideoFrame`` of one size as one JPEG sequence and decode each picture."""
    encoder: Any = None
    for number, frame in enumerate(frames):
        picture = _full_range(frame)
        if encoder is None:
            encoder = _encoder(picture, Fraction(fps).limit_denominator(1001))
        picture.pts = number
        picture.time_base = encoder.time_base
        for packet in encoder.encode(picture):
            yield _decode(packet)
    if encoder is not None:
        for packet in encoder.encode(None):
            yield _decode(packet)


def _encoder(picture: Any, fps: Fraction) -> Any:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, picture.format.name
    encoder.framerate, encoder.time_base = fps, 1 / fps
    encoder.bit_rate, encoder.bit_rate_tolerance = _BIT_RATE, _BIT_RATE_TOLERANCE
    encoder.thread_count = 1
    return encoder


def _decode(packet: Any) -> Frame:
    image = cv2.imdecode(np.frombuffer(bytes(packet), np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(image, np.uint8)


def _full_range(frame: Any) -> Any:
    """The frame upright and in full range, as one of the formats that the JPEG encoder takes, by FFmpeg up to 7.0."""
    turn = turn_of(frame)
    if turn.sideways and _nearest(frame.format) == "yuvj422p":  # its planes cannot change places
        frame = _reformatted(frame, "yuv444p")
    name, full = frame.format.name, _nearest(frame.format)
    if name == full:
        return _copied(frame, turn)
    if frame.color_range == _FULL or name.startswith("gray"):
        wide = plain(frame).reformat(format=full, dst_color_range="JPEG", interpolation=Interpolation.BICUBIC)
        return _copied(wide, turn)
    limited = full.replace("yuvj", "yuv")
    if name != limited and not _DEEP.fullmatch(name):
        frame = _reformatted(frame, limited)
    return _stretched(frame, full, turn)


def _reformatted(frame: Any, name: str) -> Any:
    return plain(frame).reformat(format=name, interpolation=Interpolation.BICUBIC)


def _nearest(given: Any) -> str:
    """The full-range format that keeps the chroma of ``given``."""
    if given.is_rgb:
        return "yuvj444p"
    chroma = [component for component in given.components if not component.is_luma and not component.is_alpha]
    if not chroma or chroma[0].height < given.height:
        return "yuvj420p"
    return "yuvj422p" if chroma[0].width < given.width else "yuvj444p"


def _stretched(frame: Any, full: str, turn: Turn) -> Any:
    """Limited to full range, planar 8 bit or more to 8 bit."""
    depth = frame.format.components[0].bits
    planes = []
    for index, plane in enumerate(frame.planes):
        wide = _stretch(depth, index == 0)[turn.apply(_samples(plane, depth))]
        height, width = wide.shape
        if depth > 8:
            across = (np.arange(width) + (_V_COLUMN if index == 2 else 0)) % 8
            wide += _DITHER[np.arange(height) % 8][:, across]
        else:
            wide += 64
        planes.append(np.clip(wide >> 7, 0, 255).astype(np.uint8))
    return _frame(planes, full)


def _copied(frame: Any, turn: Turn) -> Any:
    """The planes of an 8-bit frame, turned one by one, without what the frame says of itself."""
    return _frame([turn.apply(_samples(plane, 8)) for plane in frame.planes], frame.format.name)


def _frame(planes: list[Frame], name: str) -> Any:
    height, width = planes[0].shape
    out = av.VideoFrame(width, height, name)
    for rows, target in zip(planes, out.planes, strict=True):
        wide = np.zeros((target.height, target.line_size), np.uint8)
        wide[:, : target.width] = rows
        target.update(wide.tobytes())
    return out


def _samples(plane: Any, depth: int) -> npt.NDArray[Any]:
    """What a plane shows, uint8 or uint16 ``(H, W)``."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height]
    return rows[:, : plane.width] if depth == 8 else rows.view("<u2")[:, : plane.width]
