"""Whether what a case says fits its picture and its table of synonyms: *plan* asks before any model is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.contract.models import Case
from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.synonyms import Synonyms, read_synonyms
from penstock.foundation.errors import UsageError
from penstock.media.images import read_image


def check_files(case: Case, inputs: Mapping[str, Path], files: Mapping[str, tuple[Path, ...]]) -> None:
    """Check that boxes lie inside the picture, and that the table of synonyms can be read.

    Raises:
        UsageError: one sticks out; the table is none, or does not have the case's language.
    """
    if not isinstance(case, RecognitionCase):
        raise TypeError(f"a {type(case).__name__} is not a case of recognition")
    synonyms_of(case, files)
    boxes = [each.box for each in case.objects or () if each.box is not None]
    if boxes and "image" in inputs:
        height, width = read_image(inputs["image"]).shape[:2]
        for x, y, across, down in boxes:
            if x + across > width or y + down > height:
                raise UsageError(
                    f"the box [{x:g}, {y:g}, {across:g}, {down:g}] is not inside the picture, {width}x{height} pixels "
                    "upright",
                    todo="A box is x, y, width, height in pixels.",
                )


def synonyms_of(case: RecognitionCase, files: Mapping[str, tuple[Path, ...]]) -> Synonyms:
    """The names that mean the same in a case.

    Raises:
        UsageError: its table cannot be read, or does not have the case's language.
    """
    tables = files.get("synonyms", ())
    return read_synonyms(tables[0], case.language) if tables else Synonyms()
