"""Frames of a video whose alpha is what counts: a clip with alpha, or a grey clip of the alpha alone.

Alpha is a share of 0 to 1, full scale at the bits that the file has (8 to 16). It is taken from

- VP8 or VP9 with alpha in WebM or Matroska (``alpha_mode`` 1), which libvpx alone decodes: FFmpeg's own decoder, its
  first choice, leaves the alpha out without a word;
- any other codec whose frames have an alpha channel: PNG, QuickTime Animation, FFV1, ProRes 4444, …

and where no frame can have alpha, from a grey clip: grey frames as they are; YUV and RGB frames where no pixel has a
colour. YUV is of limited range (16 is 0, 235 is 1) unless the file says that it is full. A clip that has alpha is read
by its alpha, opaque or not. Frames are decoded one at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.media.container import DEFAULT_LIMITS, MediaLimits, decoder, decoding, opened
from penstock.media.mattes import Alpha
from penstock.media.rotation import turn_of
from penstock.media.tracks import chosen
from penstock.media.video import BgrConverter, read_raw_frames

Values = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

_WITH_ALPHA = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Codec → the decoder that gives its alpha."""
_FULL_RANGE = 2
_COLOURLESS = 2 / 255
"""So far a channel of a grey pixel may be off: lossy codecs round."""
_PLANAR = re.compile(r"(gray|yuvj4\d\dp|yuva?4\d\dp|gbra?p)(\d+)?(le|be)?")
_PACKED = re.compile(r"([rgba0]{3,4}|ya)(8|16|24|48|64)?(le|be)?")
_ADVICE = "Write alpha with it: VP9 in WebM, PNG or ProRes 4444 in MOV, FFV1 in Matroska; or a grey video of the alpha."


@dataclass(frozen=True)
class AlphaFrame:
    """One frame, upright."""

    alpha: Alpha
    """(H, W), 0 to 1."""
    rgba: npt.NDArray[np.uint8] | None
    """(H, W, 4), RGBA, not premultiplied; ``None``: it is a grey frame of the alpha, or colours were not asked for."""


def read_alpha_frames(
    path: Path, *, colours: bool = False, limits: MediaLimits = DEFAULT_LIMITS
) -> Iterator[AlphaFrame]:
    """Decode a clip frame by frame: each frame once, whatever its time.

    Args:
        path: the video.
        colours: give the colours, too.
        limits: what the file may cost.

    Raises:
        UsageError: as :func:`penstock.media.video.read_frames`; or it has no alpha and is coloured, or its pixels are
            in a format that is not read. Damage is found where it lies, after the frames before it.
    """
    to_bgr = BgrConverter()
    of_the_first: bool | None = None
    for frame in read_raw_frames(path, fps=None, limits=limits, find_decoder=_alpha_decoder):
        with decoding(path):
            alpha, matte_only = _alpha(frame, path)
            of_the_first = matte_only if of_the_first is None else of_the_first
            if matte_only is not of_the_first:
                raise UsageError("some frames have alpha and others have none", where=str(path), todo=_ADVICE)
            turn = turn_of(frame)
            alpha = turn.apply(alpha) if turn else alpha
            rgba = None
            if colours and not matte_only:
                opacity = np.rint(alpha * 255).astype(np.uint8)
                rgba = np.dstack([to_bgr(frame)[:, :, ::-1], opacity])
        yield AlphaFrame(alpha, rgba)


def check_lossless(path: Path, *, limits: MediaLimits = DEFAULT_LIMITS) -> None:
    """Check that a clip is in a codec that can be lossless: of what others blur nothing can be measured.

    Raises:
        UsageError: it is not; or there is no video in the file.
    """
    with opened(path, limits=limits) as container:
        track = chosen(container.streams.video)
        if track is None:
            raise UsageError("the file has no video", where=str(path), todo="Give a file with a video stream.")
        codec = decoder(track.stream, path).codec
        if not codec.lossless:
            raise UsageError(
                f"the video is in the codec {codec.name}, which changes what it stores",
                where=str(path),
                todo="Write it without loss: FFV1 in Matroska, or PNG in MOV.",
            )


def _alpha_decoder(stream: Any, path: Path) -> Any:
    """The decoder of a stream that gives its alpha."""
    usual = decoder(stream, path)
    if stream.metadata.get("alpha_mode") != "1" or usual.name not in _WITH_ALPHA:
        return usual
    return av.CodecContext.create(_WITH_ALPHA[usual.name], "r")


def _alpha(frame: Any, path: Path) -> tuple[Alpha, bool]:
    """The alpha of a frame as it is stored, and whether the frame has nothing else."""
    name = frame.format.name
    if (planar := _PLANAR.fullmatch(name)) is not None:
        channels = [_plane(frame, part.plane, part.width) for part in frame.format.components]
        kind = planar[1]
        has_alpha, full = kind.startswith(("yuva", "gbrap")), not kind.startswith("yuv") or _is_full(frame)
        most = (1 << frame.format.components[0].bits) - 1
    elif (packed := _PACKED.fullmatch(name)) is not None:
        order = packed[1]
        pixels = _plane(frame, 0, frame.width * len(order)).reshape(frame.height, frame.width, len(order))
        channels = [
            pixels[:, :, order.index(letter)] for letter in ("ya" if order == "ya" else "rgba") if letter in order
        ]
        has_alpha, full = "a" in order, True
        most = np.iinfo(pixels.dtype).max
    else:
        raise UsageError(f"frames of pixels in the format {name} are not read", where=str(path), todo=_ADVICE)
    if has_alpha:
        return channels[-1] / np.float64(most), False
    if not _is_colourless(channels, most, chroma=name.startswith("yuv")):
        raise UsageError("the video has no alpha: it is coloured, without any", where=str(path), todo=_ADVICE)
    if full:
        return channels[0] / np.float64(most), True
    unit = (most + 1) / 256
    return np.clip((channels[0] - 16.0 * unit) / (219.0 * unit), 0.0, 1.0), True


def _is_full(frame: Any) -> bool:
    return bool(frame.format.name.startswith("yuvj") or frame.color_range == _FULL_RANGE)


def _is_colourless(channels: list[Values], most: int, *, chroma: bool) -> bool:
    """Whether no pixel has a colour: chroma in the middle, or red, green and blue alike."""
    slack = _COLOURLESS * most
    others = [channel.astype(np.int32) for channel in channels[1:]]
    if chroma:
        return all(bool((np.abs(channel - (most + 1) // 2) <= slack).all()) for channel in others)
    return all(bool((np.abs(channel - channels[0].astype(np.int32)) <= slack).all()) for channel in others)


def _plane(frame: Any, number: int, values: int) -> Values:
    """A plane's rows, ``values`` numbers each, without what they are padded with."""
    plane = frame.planes[number]
    bits = frame.format.components[0].bits
    stored = np.dtype(np.uint8) if bits <= 8 else np.dtype(">u2" if frame.format.name.endswith("be") else "<u2")
    rows = np.frombuffer(plane, stored).reshape(-1, plane.line_size // stored.itemsize)[: plane.height, :values]
    return np.asarray(rows, dtype=np.uint8) if bits <= 8 else np.asarray(rows, dtype=np.uint16)
