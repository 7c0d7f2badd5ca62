"""What the page showed: whether it is what it should be, and the same as the API's answer to the same case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from penstock.contract.page import Page
from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import Format, recognise
from penstock.media.images import Frame, read_as_stored

LEVELS: Final = 255


@dataclass(frozen=True)
class ShownResult:
    """What a result is, and what is wrong with it, if anything."""

    kind: Format | None
    fault: str | None
    size: tuple[int, int] | None = None
    """Width and height of a picture."""
    difference: int | None = None
    """From the API's answer, in levels of 255; ``None``: not compared."""


def examine_result(page: Page, shown: Path, answer: Path | None) -> ShownResult:
    """Examine the file that the page showed.

    A picture must not be of one colour, has the transparency that the contract asks for, and is the API's answer again:
    of its size, and of its colours within the contract's tolerance, both laid over black (what a transparent pixel
    hides is nobody's concern, and a canvas does not keep it). Other media are not looked into.

    Args:
        page: the contract's.
        shown: the file, as it came.
        answer: the API's answer to the same case; ``None``: it gave none.
    """
    with shown.open("rb") as file:
        kind = recognise(file)
    if kind is None or kind.kind != "image":
        wanted = page.result.alpha or page.result.begins.startswith("data:image")
        return ShownResult(
            kind, "what the page shows is no picture that can be read (PNG, JPEG, WebP)" if wanted else None
        )
    try:
        picture = read_as_stored(shown)
    except UsageError as error:
        return ShownResult(kind, f"what the page shows: {error.what}")
    size = picture.shape[1], picture.shape[0]
    fault = _alone(page, picture)
    if fault is not None or answer is None:
        return ShownResult(kind, fault or "the API gave no answer to this case that it could be compared with", size)
    if (other := _answer(answer)) is None:
        return ShownResult(kind, "the API's answer to this case is no picture that it could be compared with", size)
    if other.shape[:2] != picture.shape[:2]:
        theirs = f"{other.shape[1]}x{other.shape[0]}"
        return ShownResult(kind, f"what the page shows is {size[0]}x{size[1]} pixels, the API's answer {theirs}", size)
    difference = _difference(picture, other)
    if difference > page.tolerance:
        by = f"by {difference} of {LEVELS} levels, more than {page.tolerance}"
        fault = f"what the page shows differs from the API's answer {by}"
    return ShownResult(kind, fault, size, difference)


def _alone(page: Page, picture: Frame) -> str | None:
    """What is wrong with a picture whatever the API says."""
    has_alpha = picture.shape[2] == 4
    if page.result.alpha:
        if not has_alpha:
            return "what the page shows has no alpha channel"
        alpha = picture[:, :, 3]
        if not alpha.any():
            return "what the page shows is transparent all over"
        if alpha.min() == LEVELS:
            return "what the page shows is transparent nowhere"
    if (picture == picture[0, 0]).all():
        return "what the page shows is of one colour"
    return None


def _answer(path: Path) -> Frame | None:
    try:
        return read_as_stored(path)
    except UsageError:
        return None


def _difference(one: Frame, other: Frame) -> int:
    """The largest difference of alpha, or of a colour laid over black, of any pixel."""
    first, second = _over_black(one), _over_black(other)
    return int(np.abs(first - second).max())


def _over_black(picture: Frame) -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    """int16 (H, W, 4): colours times alpha, rounded, and alpha."""
    if picture.shape[2] == 3:
        opaque = np.full((*picture.shape[:2], 1), LEVELS, np.uint8)
        picture = np.concatenate([picture, opaque], axis=2)
    alpha = picture[:, :, 3:].astype(np.uint16)
    colours = (picture[:, :, :3].astype(np.uint16) * alpha + LEVELS // 2) // LEVELS
    return np.concatenate([colours, alpha], axis=2).astype(np.int16)
