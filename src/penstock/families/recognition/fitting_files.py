"""Whether what a case says fits its picture and its table of synonyms: *plan* asks before any model is started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from penstock.contract.models import Case
from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.label_vectors import read_label_vectors
from penstock.families.recognition.synonyms import Synonyms, read_synonyms
from penstock.foundation.errors import UsageError
from penstock.media.images import read_image


def check_files(case: Case, inputs: Mapping[str, Path], files: Mapping[str, tuple[Path, ...]]) -> None:
    """Check that boxes lie inside the picture, and that the table of synonyms and the vectors of labels can be read.

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
    """The names that mean the same in a case, and those near enough to a true label.

    Raises:
        UsageError: its table cannot be read, or does not have the case's language; its file of vectors cannot be read,
            or lacks a true label.
    """
    tables, vectors = files.get("synonyms", ()), files.get("similar", ())
    synonyms = read_synonyms(tables[0], case.language) if tables else Synonyms()
    if not vectors:
        return synonyms
    known = read_label_vectors(vectors[0])
    true = {synonyms.meaning(label) for label in case.true_labels or ()}
    if lacking := sorted(true - set(known.labels)):
        todo = "Add one for each true label, or leave 'similar' out."
        raise UsageError(f"the label '{lacking[0]}' has no vector", where=vectors[0].name, todo=todo)
    return replace(synonyms, alike=known.alike(true), stated=known.stated)
