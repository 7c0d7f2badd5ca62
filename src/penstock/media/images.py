"""Decoding of PNG, JPEG and WebP files that nobody has checked before.

A picture's header is read first: nothing is decoded that is larger than the limit, of another format, or cut short
(decoders fill up the rest of a truncated picture and say nothing).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.foundation.files import content_of, open_regular
from penstock.foundation.media_kinds import IS_LFS_POINTER, LFS_POINTER, MAX_BYTES, PULL
from penstock.media.container import decoding

Frame = npt.NDArray[np.uint8]
Size = tuple[int, int]

_ADVICE = "Give whole PNG, JPEG or WebP files."
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of the JPEG segments that hold the size of the picture."""
_JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""
_FILL = re.compile(rb"\xff+")
"""A marker begins with one of these bytes at least."""


@dataclass(frozen=True)
class ImageLimits:
    """What a picture may cost at most: bytes of the file, pixels of a side, pixels in all."""

    file_bytes: int = MAX_BYTES["image"]
    side_pixels: int = 8192
    pixels: int = 32 << 20


DEFAULT_IMAGE_LIMITS = ImageLimits()


def read_image(path: Path, *, limits: ImageLimits = DEFAULT_IMAGE_LIMITS) -> Frame:
    """Decode a picture: uint8 (H, W, 3) BGR, upright (EXIF), 16 bit and grey converted, transparency dropped.

    Raises:
        UsageError: missing, no regular file, empty, of another format, damaged, cut short, or over the limits.
    """
    return _decoded(path, limits, cv2.IMREAD_COLOR)


def read_as_stored(path: Path, *, limits: ImageLimits = DEFAULT_IMAGE_LIMITS) -> Frame:
    """Decode a picture as it is stored: uint8 (H, W, 3) BGR, or (H, W, 4) with alpha if it has that; not turned.

    16 bits become 8 (rounded down), grey becomes BGR.

    Raises:
        UsageError: see :func:`read_image`.
    """
    image = _decoded(path, limits, cv2.IMREAD_UNCHANGED)
    if image.ndim == 2:
        image = image[:, :, np.newaxis]
    if image.shape[2] in (1, 2):
        image = image[:, :, [0, 0, 0, *([1] if image.shape[2] == 2 else [])]]
    return np.asarray(image, dtype=np.uint8)


def _decoded(path: Path, limits: ImageLimits, how: int) -> npt.NDArray[np.uint8]:
    data, size = picture_bytes(path, limits=limits)
    with decoding(path):
        image = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    # The size in the header is the one before turning upright; a decoder that found another one read something else.
    if image is None or sorted(image.shape[:2]) != sorted(size):
        raise UsageError("the picture is damaged", where=str(path), todo="Write or fetch the file again.")
    if image.dtype == np.uint16:
        image = np.asarray(image // 256, dtype=np.uint8)
    return np.asarray(image, dtype=np.uint8)


def picture_bytes(path: Path, *, limits: ImageLimits = DEFAULT_IMAGE_LIMITS) -> tuple[bytes, Size]:
    """The bytes of a picture that is safe to decode, and the width and height in its header: nothing is decoded yet.

    Raises:
        UsageError: missing, no regular file, empty, of another format, cut short, or over the limits.
    """
    data = _read(path, limits)
    try:
        size = _size(data)
    except IndexError:
        size = None
    if size is None:
        if data.startswith(LFS_POINTER):
            raise UsageError(IS_LFS_POINTER, where=str(path), todo=PULL)
        what = f"this is not a whole PNG, JPEG or WebP picture: {_instead(data)}"
        raise UsageError(what, where=str(path), todo=_ADVICE)
    width, height = size
    if not (0 < width <= limits.side_pixels and 0 < height <= limits.side_pixels and width * height <= limits.pixels):
        most = f"{limits.side_pixels} a side and {limits.pixels} in all"
        raise UsageError(
            f"the picture is {width}x{height} pixels, more than the {most} that are read",
            where=str(path),
            todo="Scale it down.",
        )
    return data, size


def _read(path: Path, limits: ImageLimits) -> bytes:
    """The bytes of a regular file within the limit."""
    with open_regular(path, where=str(path), todo=_ADVICE) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limits.file_bytes:
            what = f"the file has {size} bytes, at most {limits.file_bytes} are read"
            raise UsageError(what, where=str(path), todo="Write it smaller.")
        data = content_of(file, limits.file_bytes, where=str(path))
    if not data:
        raise UsageError("the file is empty", where=str(path), todo="Write or fetch the file again.")
    return data


def _instead(data: bytes) -> str:
    """What is there in the place of a whole picture, as far as its first bytes tell."""
    if data.startswith((b"\x89PNG", b"\xff\xd8")) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return "it is cut short"
    if data[:512].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "it is an HTML page"
    return "it is of another format"


def _size(data: bytes) -> Size | None:
    """Width and height from the header of a whole picture; None (or IndexError) if it is not one."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return _png_size(data)
    if data.startswith(b"\xff\xd8"):
        return _jpeg_size(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_size(data)
    return None


def _png_size(data: bytes) -> Size | None:
    """From IHDR, which comes first; the chunks must lead, length by length, to IEND."""
    if data[12:16] != b"IHDR":
        return None
    at = 8
    while data[at + 4 : at + 8] != b"IEND":
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if at + 12 > len(data):
            return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> Size | None:
    """From the frame header; behind the start of the scan there must be an end marker: coded data cannot hold one."""
    at, size = 2, None
    while True:
        filled = _FILL.match(data, at)
        if filled is None:
            return None
        at = filled.end() - 1
        marker = data[at + 1]
        if marker in _JPEG_ALONE:
            at += 2
            continue
        if marker in _JPEG_SIZES:
            _ = data[at + 8]
            size = int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
        if marker == 0xDA:
            return size if data.find(b"\xff\xd9", at) >= 0 else None


def _webp_size(data: bytes) -> Size | None:
    """From the first chunk, one of three kinds; the length in the file's header must be there."""
    if int.from_bytes(data[4:8], "little") + 8 > len(data) or len(data) < 30:
        return None
    kind = data[12:16]
    if kind == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return None
