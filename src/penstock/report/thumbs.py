"""Small pictures that are always in the page."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from penstock.foundation.errors import UsageError
from penstock.media.images import ImageLimits, picture_bytes, read_image
from penstock.report.case_files import SuiteFiles
from penstock.report.still_pictures import Picture, thumbnail

LIMITS = ImageLimits(pixels=12 << 20)
"""Larger pictures are not shown: the step *report* has less memory than *measure*."""
GONE = "the suite's files are not at hand"


@dataclass(frozen=True)
class Thumb:
    """A small picture, in the page."""

    content: str
    """WebP, as base64."""
    width: int
    height: int


def thumb_of(picture: Picture) -> Thumb:
    """A picture's."""
    content, size = thumbnail(picture)
    return Thumb(base64.b64encode(content).decode("ascii"), *size)


def input_thumb(files: SuiteFiles | None, case: str, name: str) -> Thumb | str:
    """A case's input; or why it cannot be shown. Both names come from a bundle, which may be edited."""
    found = files.of(case) if files is not None else None
    if found is None or name not in found.inputs:
        return GONE
    path = found.inputs[name]
    try:
        picture_bytes(path, limits=LIMITS)
        return thumb_of(read_image(path))
    except UsageError as error:
        return error.what
