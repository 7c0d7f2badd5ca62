"""What a family's painter makes of a case, scaled down for a page and encoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from penstock.report.case_files import CaseFiles

Picture = npt.NDArray[np.uint8]
"""(H, W) grey, (H, W, 3) BGR, or (H, W, 4) BGRA, not premultiplied."""

SHOWN_PIXELS = 1024
"""A longer side is scaled down to this."""
JPEG_QUALITY = 90
PNG_LEVEL = 1
THUMB_PIXELS = 240
"""The longer side of a thumbnail."""
THUMB_QUALITY = 82


MAX_BOXES, MAX_WORDS = 100, 60
"""Of one picture."""
MAX_LETTERS = 200
"""Of one label or word; a browser shows at most so many of what a model said."""
Kind = Literal["right", "wrong", "missed", "plain"]
"""``plain``: nobody says whether it is right."""


@dataclass(frozen=True)
class MarkedBox:
    """A box over a picture; places and sizes are shares of the picture's."""

    x: float
    y: float
    width: float
    height: float
    text: str
    """What stands at it, in whatever script: the browser writes it."""
    kind: Kind


@dataclass(frozen=True)
class MarkedWord:
    """A word or a sentence below a picture."""

    text: str
    kind: Kind


@dataclass(frozen=True)
class Marks:
    """What lies over a picture of the case, and stands below it."""

    boxes: Sequence[MarkedBox]
    words: Sequence[MarkedWord]


@dataclass
class CaseStills:
    """A painter's pictures of a case; in the place of one that there is not, the reason."""

    of_case: dict[str, Picture | Marks | str]
    """Name of a :class:`~penstock.families.family.Still` of the case → picture, or marks over another."""
    answers: dict[str, dict[str, Picture | Marks | str]]
    """Side → name of a still of the answer → picture, or marks over one of the case."""
    places: dict[str, tuple[float, float]]
    """Side → the place of its worst error, x and y as shares of the picture; absent where there is none."""


class Painter(Protocol):
    """A family's function that makes the pictures of one case. Files are hostile: a fault is a reason."""

    def __call__(self, files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
        """Draw a case.

        Args:
            files: the case's own; ``None``: they are not at hand.
            answers: side (``candidate``, ``baseline``) → what came back.
        """


def shrunk(picture: npt.NDArray[Any], longest: int = SHOWN_PIXELS) -> npt.NDArray[Any]:
    """The same by area, so that neither side is over ``longest``; one that is small enough is not touched."""
    height, width = picture.shape[:2]
    longer = max(height, width)
    if longer <= longest:
        return picture
    size = tuple(max(1, round(side * longest / longer)) for side in (width, height))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def encoded(picture: Picture, *, photo: bool) -> tuple[bytes, tuple[int, int]]:
    """A picture as JPEG if it is a photo, else as PNG, scaled down; and its width and height as it was."""
    height, width = picture.shape[:2]
    small = _small(picture, SHOWN_PIXELS)
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if photo else [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL]
    _, data = cv2.imencode(".jpg" if photo else ".png", small, options)
    return data.tobytes(), (width, height)


def thumbnail(picture: Picture) -> tuple[bytes, tuple[int, int]]:
    """A picture as a small WebP, with its alpha if it has some; and its width and height.

    Colours are not exact: it is there to be recognised, and the picture itself stands elsewhere.
    """
    small = _small(picture, THUMB_PIXELS)
    if small.ndim == 2:
        small = np.repeat(small[:, :, None], 3, axis=2)
    _, data = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, THUMB_QUALITY])
    return data.tobytes(), (small.shape[1], small.shape[0])


def _small(picture: Picture, longest: int) -> Picture:
    return _shrunk_cutout(picture, longest) if picture.ndim == 3 and picture.shape[2] == 4 else shrunk(picture, longest)


def _shrunk_cutout(picture: Picture, longest: int) -> Picture:
    """By area with the colours weighed by alpha: what is transparent does not colour what stands beside it."""
    if max(picture.shape[:2]) <= longest:
        return picture
    colours, alpha = picture[:, :, :3], picture[:, :, 3:].astype(np.float32) / 255
    weighed = shrunk(np.dstack([colours * alpha, alpha]).astype(np.float32), longest)
    share = weighed[:, :, 3:]
    plain = np.divide(weighed[:, :, :3], share, out=np.zeros_like(weighed[:, :, :3]), where=share > 0)
    return np.asarray(np.rint(np.clip(np.dstack([plain, share * 255]), 0, 255)), dtype=np.uint8)
