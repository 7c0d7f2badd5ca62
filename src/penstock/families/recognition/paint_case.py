"""What the report shows of a case: the picture, and over it what is true and what each side found and read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from penstock.families.recognition.answer_file import (
    Box,
    FoundObject,
    RecognitionAnswer,
    Size,
    Unusable,
    box_of,
    read_answer,
    surest_by_label,
)
from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.fitting_files import synonyms_of
from penstock.families.recognition.synonyms import Synonyms
from penstock.foundation.errors import UsageError
from penstock.media.images import ImageLimits, picture_bytes, read_image
from penstock.metrics.recognition_text import character_error_rate
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import MAX_BOXES, CaseStills, Kind, MarkedBox, MarkedWord, Marks, Picture

LIMITS = ImageLimits(pixels=12 << 20)
"""Larger pictures are not drawn: the step *report* has less memory than *measure*."""
MOST_COMPARED = 2000
"""Characters of a text up to which it is told whether it was read right: longer ones take too long here."""


def paint_case(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """Mark what is true and what was found; what cannot be drawn is a reason in its place.

    Args:
        files: the case's own; ``None``: they are not at hand.
        answers: side → what came back.
    """
    gone = "the suite's files are not at hand"
    photo = gone if files is None else _photo(files)
    if files is None or isinstance(photo, str) or not isinstance(files.case, RecognitionCase):
        why = photo if isinstance(photo, str) else gone
        return CaseStills({"photo": why, "truth": why}, {side: {"found": why} for side in answers}, {})
    size = photo.shape[1], photo.shape[0]
    synonyms = synonyms_of(files.case, files.withheld)
    found = CaseStills({"photo": photo, "truth": _truth(files.case, size)}, {}, {})
    for side, path in answers.items():
        marks, place = _found(path, files.case, size, synonyms)
        found.answers[side] = {"found": marks}
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


def _truth(case: RecognitionCase, size: Size) -> Marks:
    boxes = [_box(each.box, each.label, "right", size) for each in case.objects or () if each.box is not None]
    words = [MarkedWord(label, "right") for label in case.true_labels or ()]
    if case.text is not None:
        words.append(MarkedWord(f"text: {_in_line(case.text)}" if case.text else "no text", "right"))
    return Marks(boxes, words)


def _found(
    path: Path, case: RecognitionCase, size: Size, synonyms: Synonyms
) -> tuple[Marks | str, tuple[float, float] | None]:
    """What an answer says, and the middle of the surest box with a wrong label, as shares of the picture."""
    try:
        answer = read_answer(path, size)
    except UsageError as error:
        return error.what, None
    objects = () if isinstance(answer.objects, Unusable) else answer.objects
    truth = {synonyms.meaning(label) for label in case.true_labels} if case.true_labels is not None else None

    def kind_of(label: str) -> Kind:
        return "plain" if truth is None else "right" if synonyms.meaning(label) in truth else "wrong"

    surest = sorted(objects, key=lambda each: -each.confidence)[:MAX_BOXES]
    boxes = [
        _box(each.box, f"{each.label} {each.confidence:.2f}", kind_of(each.label), size)
        for each in surest
        if each.box is not None
    ]
    faults = [MarkedWord(answer.objects.reason, "wrong")] if isinstance(answer.objects, Unusable) else []
    words = [*faults, *_labels(objects, truth, synonyms), *_text(answer, case)]
    wrong = next((box for box in boxes if box.kind == "wrong"), None)
    place = (_held(wrong.x + wrong.width / 2), _held(wrong.y + wrong.height / 2)) if wrong is not None else None
    return Marks([*boxes, *_lines(answer.content, size)], words), place


def _labels(objects: Sequence[FoundObject], truth: set[str] | None, synonyms: Synonyms) -> Iterator[MarkedWord]:
    """The labels that were found, the surest first, then those that were missed."""
    found = surest_by_label(objects, synonyms)
    for label, sure in found.items():
        kind: Kind = "plain" if truth is None else "right" if label in truth else "wrong"
        yield MarkedWord(f"{label} {sure:.2f}", kind)
    for label in sorted((truth or set()) - found.keys()):
        yield MarkedWord(f"missed: {label}", "missed")


def _text(answer: RecognitionAnswer, case: RecognitionCase) -> Iterator[MarkedWord]:
    """What was read, and whether that is right; a description, where the case asks for one."""
    if case.text is not None or "text" in answer.content:
        if isinstance(answer.text, Unusable):
            yield MarkedWord(answer.text.reason, "wrong" if case.text is not None else "plain")
        else:
            told = f"text: {_in_line(answer.text)}" if answer.text else "no text"
            yield MarkedWord(told, _read_right(answer.text, case.text))
    if case.description is not None:
        said = answer.description
        yield MarkedWord(said.reason if isinstance(said, Unusable) else f"description: {_in_line(said)}", "plain")


def _read_right(read: str, truth: str | None) -> Kind:
    if truth is None or max(len(read), len(truth)) > MOST_COMPARED:
        return "plain"
    return "right" if character_error_rate(read, truth) == 0 else "wrong"


def _lines(content: Mapping[str, Any], size: Size) -> Iterator[MarkedBox]:
    """The lines of text that say where they are; the others stand below the picture alone."""
    lines = content.get("text")
    for line in lines[:MAX_BOXES] if isinstance(lines, list) else []:
        where = box_of(line.get("box"), "text", size) if isinstance(line, dict) and line.get("box") else None
        if where is not None and not isinstance(where, Unusable) and isinstance(line.get("text"), str):
            yield _box(where, line["text"], "plain", size)


def _box(box: Box | Sequence[float], text: str, kind: Kind, size: Size) -> MarkedBox:
    x, y, width, height = box
    left, top = _held(x / size[0]), _held(y / size[1])
    right, bottom = _held((x + width) / size[0]), _held((y + height) / size[1])
    return MarkedBox(left, top, right - left, bottom - top, _in_line(text), kind)


def _held(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _in_line(text: str) -> str:
    return " ".join(text.split())
