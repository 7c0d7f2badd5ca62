"""The pictures that the report shows of a case: what the model was given, and each side's answer beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from penstock.contract.placeholders import Scalar
from penstock.families.matting.answer_file import AnswerFile, read_answer
from penstock.families.matting.answer_size import size_fault
from penstock.families.matting.files_of_case import CaseTruth
from penstock.foundation.errors import UsageError
from penstock.media.images import ImageLimits, picture_bytes, read_image
from penstock.media.mattes import Alpha, read_matte
from penstock.metrics.matte_arrays import shape_of
from penstock.metrics.matte_edges import usable_edge
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import CaseStills, Picture, shrunk

Found = TypeVar("Found")
LIMITS = ImageLimits(pixels=12 << 20)
"""Larger pictures are not drawn: the step *report* has less memory than *measure*."""
BAND = 15
"""Side of the square by which an edge is grown to the band in which the worst place is looked for, in pixels."""
SPOT = 5
"""Side of the square over which an error is averaged, so that a single pixel does not pass for the worst place."""
TOO_MUCH, TOO_LITTLE = (38, 30, 200), (200, 90, 20)
"""BGR."""
USABLE, BROKEN = (80, 200, 60), (60, 60, 235)
"""BGR."""
DIMMED = 0.55
"""How light the answer is below its edge: both colours stand out from it."""
THINNEST = 400
"""The edge is as wide as a picture's longer side by this."""
GHOST = 34
"""How much darker than white the true subject is where there is no error, of 255."""


@dataclass(frozen=True)
class _Known:
    """The case's own files, as far as they can be drawn; a text says why one cannot."""

    photo: Picture | str
    truth: Alpha | str
    given: Mapping[str, Scalar]


def paint_case(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """Draw a case; what cannot be drawn is a reason in its place.

    Of several truths the first is drawn. It is scaled by area where the answer is smaller than the photo, as when it
    is measured.

    Args:
        files: the case's own; ``None``: they are not at hand.
        answers: side → what came back.
    """
    known = _known(files)
    truth = known.truth if isinstance(known.truth, str) else _grey(known.truth)
    found = CaseStills({"photo": known.photo, "truth": truth}, {}, {})
    for side, path in answers.items():
        pictures, place = _painted(path, known)
        found.answers[side] = dict(pictures)
        if place is not None:
            found.places[side] = place
    return found


def _known(files: CaseFiles | None) -> _Known:
    if files is None:
        gone = "the suite's files are not at hand"
        return _Known(gone, gone, {})
    truths = files.withheld.get("truth", ())
    return _Known(
        _read(files.inputs["image"], read_image) if "image" in files.inputs else "the case has no photo",
        _read(truths[0], read_matte) if truths else "the case has no truth",
        files.given,
    )


def _painted(path: Path, known: _Known) -> tuple[dict[str, Picture | str], tuple[float, float] | None]:
    """The pictures of an answer, and the place of its worst error as shares of width and height."""
    answer = _read(path, lambda file: read_answer(file, known.given))
    if isinstance(answer, str):
        return dict.fromkeys(("cutout", "alpha", "error", "edge"), answer), None
    pictures: dict[str, Picture | str] = {
        "cutout": _cutout(answer, known.photo),
        "alpha": _grey(answer.alpha),
    }
    truth = _truth_for(answer.alpha, known)
    if isinstance(truth, str):
        return pictures | {"error": truth, "edge": truth}, None
    error = answer.alpha - truth
    pictures |= {"error": _signed(error, truth), "edge": _edge(answer.alpha, truth)}
    return pictures, _worst_place(error, answer.alpha, truth)


def _cutout(answer: AnswerFile, photo: Picture | str) -> Picture | str:
    """The answer's own colours; of a matte, the photo's."""
    if answer.rgba is not None:
        return np.ascontiguousarray(answer.rgba[:, :, [2, 1, 0, 3]])
    if isinstance(photo, str):
        return photo
    height, width = answer.alpha.shape
    scaled = (
        photo
        if photo.shape[:2] == (height, width)
        else cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    )
    return np.dstack([scaled, _grey(answer.alpha)])


def _truth_for(alpha: Alpha, known: _Known) -> Alpha | str:
    """The truth at the answer's size."""
    truth = known.truth
    if isinstance(truth, str):
        return truth
    size = alpha.shape[1], alpha.shape[0]
    whole = CaseTruth((truth,), None, None)
    fault = size_fault(size, whole.size, known.given)
    return fault if fault is not None else whole.scaled(size).truths[0]


def _signed(error: Alpha, truth: Alpha) -> Picture:
    """Red where alpha is too large, blue where it is too small, over a ghost of the truth; BGR, at the size shown."""
    error, truth = shrunk(error), shrunk(truth)
    strength = np.sqrt(np.abs(error))[:, :, None]
    ghost = 255 - GHOST * truth[:, :, None]
    colour = np.where(error[:, :, None] > 0, np.array(TOO_MUCH, np.float64), np.array(TOO_LITTLE, np.float64))
    return np.asarray(np.rint(ghost + (colour - ghost) * strength), dtype=np.uint8)


def _edge(answer: Alpha, truth: Alpha) -> Picture | str:
    """The true edge, what of it is usable and what is not, over the answer; BGR, at the size shown."""
    try:
        runs = usable_edge(answer, truth).runs
    except UsageError as error:
        return error.what
    drawn = cv2.cvtColor(_grey(shrunk(answer) * DIMMED), cv2.COLOR_GRAY2BGR)
    scale = np.array(drawn.shape[1::-1]) / np.array(truth.shape[1::-1])
    thickness = max(1, round(max(drawn.shape) / THINNEST))
    for run in sorted(runs, key=lambda run: run.counts, reverse=True):  # what is broken is seen over what is not
        points = np.rint((run.points + 0.5) * scale - 0.5).astype(np.int32)
        cv2.polylines(drawn, [points], isClosed=False, color=USABLE if run.counts else BROKEN, thickness=thickness)
    return np.asarray(drawn, dtype=np.uint8)


def _worst_place(error: Alpha, answer: Alpha, truth: Alpha) -> tuple[float, float] | None:
    """The middle of the spot with the largest error along the true edge or the answer's."""
    edges = shape_of(truth).edge | shape_of(answer).edge
    band = np.asarray(cv2.dilate(edges, np.ones((BAND, BAND), np.uint8)), dtype=np.float64)
    spots = np.asarray(cv2.blur(np.abs(error), (SPOT, SPOT), borderType=cv2.BORDER_REFLECT_101), dtype=np.float64)
    errors = spots * band
    row, column = divmod(int(errors.argmax()), errors.shape[1])
    if errors[row, column] <= 0:
        return None
    return (column + 0.5) / errors.shape[1], (row + 0.5) / errors.shape[0]


def _grey(alpha: Alpha) -> Picture:
    return np.asarray(np.rint(alpha * 255), dtype=np.uint8)


def _read(path: Path, reader: Callable[[Path], Found]) -> Found | str:
    """What the reader finds, or why there is nothing to draw."""
    try:
        picture_bytes(path, limits=LIMITS)
        return reader(path)
    except UsageError as error:
        return error.what
