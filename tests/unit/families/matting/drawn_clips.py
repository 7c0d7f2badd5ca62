"""Small clips with alpha on disk."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

SIZE = (80, 60)
VP9 = {"codec": "libvpx-vp9", "pix_fmt": "yuva420p"}
PNG = {"codec": "png", "pix_fmt": "rgba"}


def discs(frames: int = 4, size: tuple[int, int] = SIZE) -> list[npt.NDArray[np.uint8]]:
    """A disc with a soft edge that moves to the right, 8 bits each."""
    found = []
    for number in range(frames):
        picture = np.zeros(size[::-1], np.uint8)
        cv2.circle(picture, (30 + 4 * number, size[1] // 2), 18, 255, -1)
        found.append(np.asarray(cv2.GaussianBlur(picture, (0, 0), 1), dtype=np.uint8))
    return found


def write_clip(
    path: Path,
    frames: Sequence[npt.NDArray[Any] | av.VideoFrame],
    *,
    codec: str = "ffv1",
    pix_fmt: str = "gray",
    source: str = "gray",
    times: Sequence[int] | None = None,
) -> Path:
    """Write arrays of the pixel format ``source``, or frames as they are; ``times`` are milliseconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"auto-alt-ref": "0", "lossless": "1"} if "vp" in codec else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        first = frames[0]
        stream.width, stream.height = (
            (first.width, first.height) if isinstance(first, av.VideoFrame) else first.shape[1::-1]
        )
        stream.pix_fmt = pix_fmt
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number, pixels in enumerate(frames):
            frame = (
                pixels
                if isinstance(pixels, av.VideoFrame)
                else av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=source)
            )
            frame.pts, frame.time_base = number, Fraction(1, 25)
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cutouts(alphas: Sequence[npt.NDArray[np.uint8]], grey: int = 120) -> list[npt.NDArray[np.uint8]]:
    """RGBA of one grey."""
    return [np.dstack([*[np.full_like(alpha, grey)] * 3, alpha]) for alpha in alphas]


def ten_bits(alphas: Sequence[npt.NDArray[np.uint8]], pix_fmt: str, grey: int = 120) -> list[av.VideoFrame]:
    """The cutouts as YUV with alpha, 10 bits each, limited range.

    The planes are written here: libswscale, from RGB to 10-bit YUV, leaves what lay in memory in some of the pixels
    where a row is no multiple of 16.
    """
    found = []
    for alpha in alphas:
        frame = av.VideoFrame(alpha.shape[1], alpha.shape[0], pix_fmt)
        luma = np.full(alpha.shape, round((16 + 219 * grey / 255) * 4))
        for plane, values in zip(
            frame.planes, (luma, np.array(512), np.array(512), np.rint(alpha / 255 * 1023)), strict=True
        ):
            rows = np.zeros((plane.height, plane.line_size // 2), "<u2")
            rows[:, : plane.width] = values
            plane.update(rows)
        found.append(frame)
    return found


def write_cutouts(path: Path, alphas: Sequence[npt.NDArray[np.uint8]], **form: Any) -> Path:
    """A clip with alpha; by default VP9."""
    form = form or VP9
    frames = ten_bits(alphas, form["pix_fmt"]) if form["pix_fmt"].endswith("p10le") else cutouts(alphas)
    return write_clip(path, frames, source="rgba", **form)
