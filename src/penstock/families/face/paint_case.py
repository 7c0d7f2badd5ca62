"""What the report shows of a case: the photo, or both of a pair side by side, and below it what the service said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from penstock.contract.placeholders import Scalar
from penstock.families.face.case import FaceCase
from penstock.families.face.compare_answer import band_fault, read_compare
from penstock.families.face.feature_answer import read_feature
from penstock.foundation.errors import UsageError
from penstock.media.images import ImageLimits, picture_bytes, read_image
from penstock.metrics.quality import BANDS, band_of
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import CaseStills, Kind, MarkedWord, Marks, Picture, shrunk

LIMITS = ImageLimits(pixels=12 << 20)
"""Larger pictures are not drawn: the step *report* has less memory than *measure*."""
GONE = "the suite's files are not at hand"
PAIR_PIXELS = 640
"""The longer side of each of a pair's pictures."""
BETWEEN, PAPER = 8, 250
LENGTH = "feature_length"


def paint_case(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """Show a case; what cannot be shown is a reason in its place.

    Args:
        files: the case's own; ``None``: they are not at hand.
        answers: side → what came back.
    """
    if files is None or not isinstance(files.case, FaceCase):
        return CaseStills({"photo": GONE}, {side: {"said": GONE} for side in answers}, {})
    case = files.case
    expected = list(_expected(case))
    said = {side: [*_said(case, path, files.given), *expected] for side, path in answers.items()}
    return CaseStills({"photo": _photo(files)}, {side: {"said": Marks([], words)} for side, words in said.items()}, {})


def _photo(files: CaseFiles) -> Picture | str:
    names = [name for name in ("image", "first", "second") if name in files.inputs]
    pictures: list[Picture] = []
    for name in names:
        try:
            picture_bytes(files.inputs[name], limits=LIMITS)
            pictures.append(read_image(files.inputs[name]))
        except UsageError as error:
            return f"{name}: {error.what}"
    return _beside(*pictures) if len(pictures) == 2 else pictures[0] if pictures else "the case has no picture"


def _beside(first: Picture, second: Picture) -> Picture:
    """Two pictures on one of the height of the higher one."""
    small = [np.asarray(shrunk(each, PAIR_PIXELS), np.uint8) for each in (first, second)]
    height = max(len(each) for each in small)
    padded = [
        cv2.copyMakeBorder(each, 0, height - len(each), 0, 0, cv2.BORDER_CONSTANT, value=(PAPER,) * 3) for each in small
    ]
    gap = np.full((height, BETWEEN, 3), PAPER, np.uint8)
    return np.asarray(np.hstack([padded[0], gap, padded[1]]), np.uint8)


def _said(case: FaceCase, path: Path, given: Mapping[str, Scalar]) -> Iterator[MarkedWord]:
    try:
        if case.is_pair:
            found = read_compare(path)
            told = "no similarity" if found.similarity is None else f"similarity {found.similarity:.3f}"
            first, second = found.qualities
            fault = band_fault(found)
            yield MarkedWord(told, "plain")
            yield MarkedWord(f"decision: {found.decision}", "wrong" if fault else "right")
            yield MarkedWord(f"quality {first:.3f} and {second:.3f}", "plain")
            if fault or found.advice:
                yield MarkedWord(fault or f"advice: {found.advice}", "wrong" if fault else "plain")
            return
        length = given.get(LENGTH, 512)
        quality = read_feature(path, length=length if isinstance(length, int) else 512, unit=False).quality
        band = list(BANDS)[int(band_of(np.array([quality]))[0])]
        yield MarkedWord(f"quality {quality:.3f}: {band}", _kind(case, quality))
    except UsageError as error:
        yield MarkedWord(error.what, "wrong")


def _kind(case: FaceCase, quality: float) -> Kind:
    """A good image should pass, another should be refused; what lies between is neither."""
    if BANDS["retry"] <= quality < BANDS["mark"]:
        return "plain"
    return "right" if (quality >= BANDS["mark"]) == (case.ood is None) else "wrong"


def _expected(case: FaceCase) -> Iterator[MarkedWord]:
    """What the case says itself."""
    if case.same is not None:
        yield MarkedWord("one person" if case.same else "two people", "plain")
    names: list[str | None] = [*(case.identities or ()), case.identity]
    yield from (MarkedWord(name, "plain") for name in dict.fromkeys(names) if name is not None)
    if case.ood is not None:
        yield MarkedWord(f"kind: {case.ood}", "plain")
