"""Reading pictures whose alpha is what counts, mattes and cut-outs: files that nobody has checked before.

Only PNG is read: other formats that pictures come in lose what a matte is measured by. Alpha is a share of 0 to 1: of
255 at up to 8 bits, of 65535 at 16. Colours are taken as sRGB, and alpha as linear: an ICC profile, ``gAMA`` or
``sRGB`` in the file changes neither. An orientation (``eXIf``) is not heeded: a matte lies as the photo does when it
stands upright.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.media.container import decoding
from penstock.media.images import picture_bytes

Alpha = npt.NDArray[np.float64]
"""(H, W), 0 to 1."""
Stored = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""(H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRA, as the file has it."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ADVICE = "Write it as PNG."


@dataclass(frozen=True)
class Cutout:
    """A picture with alpha."""

    rgba: npt.NDArray[np.uint8]
    """(H, W, 4), RGBA, not premultiplied; 16 bit rounded to 8."""
    alpha: Alpha
    """As exact as the file has it."""


def read_cutout(path: Path) -> Cutout:
    """Read a PNG with alpha: RGBA, grey with alpha, or a palette with transparency.

    Raises:
        UsageError: it is no whole PNG, over the limits of :mod:`penstock.media.images`, animated, damaged, or has no
            alpha.
    """
    stored = _stored(path)
    if stored.ndim != 3 or stored.shape[2] != 4:
        kind = "grey" if stored.ndim == 2 else "coloured"
        raise UsageError(
            f"the picture has no alpha: it is a {kind} PNG without any", where=str(path), todo="Write alpha with it."
        )
    rgba = stored[:, :, [2, 1, 0, 3]]
    in_8_bits = np.rint(rgba / np.float64(257)) if stored.dtype == np.uint16 else rgba
    return Cutout(np.ascontiguousarray(in_8_bits, dtype=np.uint8), _share(stored[:, :, 3]))


def read_matte(path: Path) -> Alpha:
    """Read a matte: a grey PNG, or the alpha of a picture that has some.

    An alpha channel that is opaque throughout beside grey says nothing: then the grey is the matte.

    Raises:
        UsageError: as :func:`read_cutout`; or it is coloured and has no alpha.
    """
    stored = _stored(path)
    if stored.ndim == 2:
        return _share(stored)
    colours = stored[:, :, :3]
    is_grey = bool((colours == colours[:, :, :1]).all())
    if stored.shape[2] == 4 and not (is_grey and (stored[:, :, 3] == np.iinfo(stored.dtype).max).all()):
        return _share(stored[:, :, 3])
    if not is_grey:
        raise UsageError(
            "the picture is coloured and has no alpha, so that it is no matte",
            where=str(path),
            todo="Give a grey PNG, or one with alpha.",
        )
    return _share(stored[:, :, 0])


def read_trimap(path: Path) -> npt.NDArray[np.bool_]:
    """Where a trimap says that it is not known what is there, (H, W): grey 128 exactly.

    Raises:
        UsageError: it cannot be read, or no pixel is 128; the message says which values there are.
    """
    stored = _stored(path)
    grey = stored if stored.ndim == 2 else stored[:, :, 0]
    if stored.ndim == 3 and not (stored[:, :, :3] == grey[:, :, None]).all():
        raise UsageError("the trimap is coloured", where=str(path), todo="Give a grey PNG of 0, 128 and 255.")
    unknown = grey == (128 if grey.dtype == np.uint8 else 128 * 257)
    if not unknown.any():
        values = np.unique(grey)
        shown = ", ".join(map(str, values[:5].tolist())) + (" …" if len(values) > 5 else "")
        raise UsageError(
            f"no pixel of the trimap is 128, which marks what is unknown; there are {shown}",
            where=str(path),
            todo="Mark it with 128, or leave the trimap out.",
        )
    return np.asarray(unknown, dtype=np.bool_)


def _share(values: Stored) -> Alpha:
    return np.asarray(values / np.float64(np.iinfo(values.dtype).max), dtype=np.float64)


def _stored(path: Path) -> Stored:
    """The pixels of a PNG as the file has them; palettes resolved, 1, 2 and 4 bits widened to 8."""
    data, (width, height) = picture_bytes(path)
    if not data.startswith(_SIGNATURE):
        kind = "JPEG" if data.startswith(b"\xff\xd8") else "WebP"
        raise UsageError(f"this is a {kind} picture, where a PNG is wanted", where=str(path), todo=_ADVICE)
    if (frames := _frames(data)) > 1:
        raise UsageError(
            f"this is an animated PNG of {frames} frames, where one picture is wanted", where=str(path), todo=_ADVICE
        )
    with decoding(path):
        stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.shape[:2] != (height, width):
        raise UsageError("the picture is damaged", where=str(path), todo="Write or fetch the file again.")
    if stored.dtype == np.uint16:
        return np.asarray(stored, dtype=np.uint16)
    return np.asarray(stored, dtype=np.uint8)


def _chunks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Name and place of each chunk of a whole PNG."""
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        yield data[at + 4 : at + 8], at + 8
        at += 12 + int.from_bytes(data[at : at + 4], "big")


def _frames(data: bytes) -> int:
    """How many pictures a PNG holds."""
    return next((int.from_bytes(data[at : at + 4], "big") for name, at in _chunks(data) if name == b"acTL"), 1)
