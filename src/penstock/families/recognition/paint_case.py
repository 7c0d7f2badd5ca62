"""The pictures that the report shows of a case: what the model was given, what is true, and what each side found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from penstock.families.recognition.answer_file import Box, FoundObject, Unusable, read_answer, surest_by_label
from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.fitting_files import synonyms_of
from penstock.families.recognition.synonyms import Synonyms
from penstock.foundation.errors import UsageError
from penstock.media.images import ImageLimits, picture_bytes, read_image
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import SHOWN_PIXELS, CaseStills, Picture

LIMITS = ImageLimits(pixels=12 << 20)
"""Larger pictures are not drawn: the step *report* has less memory than *measure*."""
MAX_DRAWN = 100
"""Boxes of one picture."""
RIGHT, WRONG, MISSED = (60, 160, 40), (60, 60, 225), (20, 130, 220)
"""BGR."""
PAPER, INK = 250, (40, 40, 40)
SMALLEST = 320
"""The shorter side of a picture is drawn at this at least: labels must be legible."""
ROWS, ROW = 3, 20
"""Of words below a picture: how many, and their height in pixels."""
MARGIN, RESERVED = 8, 60
"""Beside words, in pixels; and room in the last row for how many there are more."""
SCALE, TAG = 0.45, 16
"""Of letters; and the height of a tag at a box, in pixels."""
FONT = cv2.FONT_HERSHEY_SIMPLEX


@dataclass(frozen=True)
class _Word:
    """A word or two below a picture."""

    text: str
    colour: tuple[int, int, int]


@dataclass(frozen=True)
class _Marked:
    """A box over a picture."""

    box: Box
    name: str
    colour: tuple[int, int, int]


def paint_case(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """Draw a case; what cannot be drawn is a reason in its place.

    Names are those of the table of synonyms where it has them. OpenCV's letters are ASCII: of other names a box has its
    number, as the entry has it in the answer's ``objects``.

    Args:
        files: the case's own; ``None``: they are not at hand.
        answers: side → what came back.
    """
    gone = "the suite's files are not at hand"
    if files is None:
        return CaseStills(dict.fromkeys(("photo", "truth"), gone), {side: {"found": gone} for side in answers}, {})
    case, photo = files.case, _photo(files)
    if isinstance(photo, str) or not isinstance(case, RecognitionCase):
        why = photo if isinstance(photo, str) else gone
        return CaseStills(dict.fromkeys(("photo", "truth"), why), {side: {"found": why} for side in answers}, {})
    synonyms = synonyms_of(case, files.withheld)
    found = CaseStills({"photo": photo, "truth": _truth(case, photo)}, {}, {})
    for side, path in answers.items():
        picture, place = _found(path, case, photo, synonyms)
        found.answers[side] = {"found": picture}
        if place is not None:
            found.places[side] = place
    return found


def _photo(files: CaseFiles) -> Picture | str:
    if "image" not in files.inputs:
        return "the case has no picture"
    try:
        picture_bytes(files.inputs["image"], limits=LIMITS)
        return read_image(files.inputs["image"])
    except UsageError as error:
        return error.what


def _truth(case: RecognitionCase, photo: Picture) -> Picture:
    marked = [_Marked(each.box, _ascii(each.label), RIGHT) for each in case.objects or () if each.box is not None]
    words = [_Word(_ascii(label), RIGHT) for label in case.true_labels or ()]
    return _drawn(photo, marked, words)


def _found(
    path: Path, case: RecognitionCase, photo: Picture, synonyms: Synonyms
) -> tuple[Picture | str, tuple[float, float] | None]:
    """An answer over the picture, and the middle of the surest box with a wrong label, as shares of the picture."""
    height, width = photo.shape[:2]
    try:
        objects = read_answer(path, (width, height)).objects
    except UsageError as error:
        return error.what, None
    if isinstance(objects, Unusable):
        return objects.reason, None
    truth = {synonyms.meaning(label) for label in case.true_labels or ()} if case.true_labels is not None else None
    marked, wrong = [], []
    for number, each in enumerate(objects):
        right = truth is None or synonyms.meaning(each.label) in truth
        if each.box is not None:
            meaning = synonyms.meaning(each.label)
            name = _ascii(meaning) if meaning.isascii() else f"#{number}"
            marked.append(_Marked(each.box, f"{name} {each.confidence:.2f}", RIGHT if right else WRONG))
            wrong += [] if right else [each]
    surest = max(wrong, key=lambda each: each.confidence, default=None)
    return _drawn(photo, marked, _words(objects, truth, synonyms)), _middle(surest, photo)


def _words(objects: Sequence[FoundObject], truth: set[str] | None, synonyms: Synonyms) -> list[_Word]:
    found = surest_by_label(objects, synonyms)
    words = [
        _Word(f"{_ascii(label)} {sure:.2f}", RIGHT if truth is None or label in truth else WRONG)
        for label, sure in found.items()
    ]
    return words + [_Word(f"missed: {_ascii(label)}", MISSED) for label in sorted((truth or set()) - found.keys())]


def _middle(found: FoundObject | None, photo: Picture) -> tuple[float, float] | None:
    """The middle of a box as shares of the picture with the words below it."""
    if found is None or found.box is None:
        return None
    height, width = photo.shape[:2]
    x, y, across, down = found.box
    whole = height + (ROW * ROWS + ROW // 2) / _scale(photo)
    return min(max((x + across / 2) / width, 0.0), 1.0), min(max((y + down / 2) / whole, 0.0), 1.0)


def _drawn(photo: Picture, marked: Sequence[_Marked], words: Sequence[_Word]) -> Picture:
    """Boxes over the picture, and the words below it. Pictures of one photo are all of one size."""
    scale = _scale(photo)
    size = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.asarray(cv2.resize(photo, size, interpolation=how), dtype=np.uint8)
    for each in marked[:MAX_DRAWN]:
        x, y, across, down = (value * scale for value in each.box)
        cv2.rectangle(canvas, (round(x), round(y)), (round(x + across), round(y + down)), each.colour, 2)
        _write(canvas, each.name, (round(x), round(y)), each.colour)
    return np.asarray(np.vstack([canvas, _strip(words, size[0])]), dtype=np.uint8)


def _scale(photo: Picture) -> float:
    """How much a photo is scaled to be drawn on: no larger than it is shown, and labels legible."""
    shorter, longer = sorted(photo.shape[:2])
    return float(min(max(SMALLEST / shorter, 1.0), SHOWN_PIXELS / longer))


def _strip(words: Sequence[_Word], width: int) -> Picture:
    """The words below a picture, in rows; what finds no place is counted."""
    strip = np.full((ROW * ROWS + ROW // 2, width, 3), PAPER, np.uint8)
    x, row = MARGIN, 0
    for number, word in enumerate(words):
        (length, _), _ = cv2.getTextSize(word.text, FONT, SCALE, 1)
        if x > MARGIN and x + length > width - MARGIN:
            x, row = MARGIN, row + 1
        if row == ROWS - 1 and number < len(words) - 1 and x + length > width - RESERVED:
            _put(strip, f"+{len(words) - number}", (x, row), INK)
            break
        _put(strip, word.text, (x, row), word.colour)
        x += length + 2 * MARGIN
    return strip


def _put(strip: Picture, text: str, place: tuple[int, int], colour: tuple[int, int, int]) -> None:
    cv2.putText(strip, text, (place[0], ROW * (place[1] + 1) - 4), FONT, SCALE, colour, 1, cv2.LINE_AA)


def _write(canvas: Picture, text: str, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    """White letters on a tag of the box's colour, above its upper left corner; inside it where there is no room."""
    (length, _), _ = cv2.getTextSize(text, FONT, SCALE, 1)
    x, bottom = max(0, min(corner[0], canvas.shape[1] - length - 6)), max(corner[1], TAG)
    cv2.rectangle(canvas, (x, bottom - TAG), (x + length + 6, bottom), colour, -1)
    cv2.putText(canvas, text, (x + 3, bottom - 4), FONT, SCALE, (255, 255, 255), 1, cv2.LINE_AA)


def _ascii(text: str) -> str:
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)[:40]
