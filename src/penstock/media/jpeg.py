"""The reference implementation's lossy frames: every frame through FFmpeg's JPEG encoder and back.
 joonson/syncnet_python lets ``ffmpeg -i crop -f image2 -threads 1 %06d.jpg`` write the frames that it scores. Without a
quality option FFmpeg spends 200 kbit/s on them, a few kilobytes a frame, and its rate control remembers the frames
before. That moves LSE-D by up to several per cent, so it is repeated here with the same encoder and settings; the JPEG
is read back as OpenCV reads it.
 Bit by bit equal to FFmpeg 4 and 5 for 8-bit 4:2:0, 4:2:2 and 4:4:4 video. FFmpeg 7.1 changed the rounding when it
stretches limited to full range; the older one is repeated here, because that is what the published numbers were made
with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from penstock.media.container import DEFAULT_LIMITS, Limits
from penstock.media.video import Frame, read_raw_frames, to_bgr

_FULL_RANGE = {"yuv420p": "yuvj420p", "yuv422p": "yuvj422p", "yuv444p": "yuvj444p"}
_BIT_RATE = 200_000
_BIT_RATE_TOLERANCE = 4_000_000


def _table(limit: int, factor: int, offset: int, shift: int) -> npt.NDArray[np.uint8]:
    """Libswscale's limited-to-full-range conversion (15-bit intermediate) as a table over 8-bit values."""
    wide = np.arange(256, dtype=np.int64) << 7
    stretched = (np.minimum(wide, limit) * factor - offset) >> shift
    table: npt.NDArray[np.uint8] = np.clip((stretched + 64) >> 7, 0, 255).astype(np.uint8)
    return table


_LUMA = _table(30_189, 19_077, 39_057_361, 14)
_CHROMA = _table(30_775, 4_663, 9_289_992, 12)


def read_reference_frames(path: Path, *, fps: float = 25, limits: Limits = DEFAULT_LIMITS) -> Iterator[Frame]:
    """Like :func:`penstock.media.read_frames`, but with the loss of the reference's JPEG files.

    Yields:
        uint8 ``(H, W, 3)`` BGR.

    Raises:
        UsageError: as :func:`penstock.media.read_frames`.
    """
    return through_jpeg(read_raw_frames(path, fps=fps, limits=limits), fps=fps)


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
    """The frame upright, as one of the formats that the JPEG encoder takes."""
    if frame.rotation % 360:
        frame = av.VideoFrame.from_ndarray(to_bgr(frame), format="bgr24").reformat(format="yuv420p")
    name = frame.format.name
    if name in _FULL_RANGE.values():
        return av.VideoFrame.from_ndarray(frame.to_ndarray(), format=name)
    if name not in _FULL_RANGE or frame.color_range == 2:  # 2: full range already, under the plain format's name
        wide = frame.reformat(format=_nearest(frame.format), dst_color_range="JPEG")
        return av.VideoFrame.from_ndarray(wide.to_ndarray(), format=wide.format.name)
    return _stretched(frame, _FULL_RANGE[name])


def _nearest(given: Any) -> str:
    """The full-range format that keeps the chroma of ``given``."""
    if given.is_rgb:
        return "yuvj444p"
    chroma = [component for component in given.components if not component.is_luma and not component.is_alpha]
    if not chroma or chroma[0].height < given.height:
        return "yuvj420p"
    return "yuvj422p" if chroma[0].width < given.width else "yuvj444p"


def _stretched(frame: Any, full: str) -> Any:
    out = av.VideoFrame(frame.width, frame.height, full)
    for index, (source, target) in enumerate(zip(frame.planes, out.planes, strict=True)):
        table = _CHROMA if index else _LUMA
        rows = np.frombuffer(source, np.uint8).reshape(-1, source.line_size)[: source.height, : source.width]
        wide = np.zeros((target.height, target.line_size), np.uint8)
        wide[:, : target.width] = table[rows]
        target.update(wide.tobytes())
    return out
