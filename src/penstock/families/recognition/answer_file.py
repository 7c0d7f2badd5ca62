"""What came back for a picture: JSON with objects, a description and a text. It is not trusted.

Each part stands for itself: a fault in one is the reason why what is measured of it has no value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from penstock.families.recognition.synonyms import Synonyms
from penstock.foundation.errors import UsageError
from penstock.foundation.files import open_regular
from penstock.foundation.json_path import kind_of_json
from penstock.foundation.strict_json import MAX_BYTES, JsonError, read_json, show_json
from penstock.metrics.recognition_text import MOST_MARKS, has_too_many_marks, is_blank, plain

MAX_OBJECTS = 10_000
MAX_LABEL = 200
MAX_TEXT = 100_000
SLACK = 1.0
"""Pixels by which a box may stick out: some round outwards."""

Box = tuple[float, float, float, float]
Size = tuple[int, int]


@dataclass(frozen=True)
class Unusable:
    """Why a part of an answer cannot be used."""

    reason: str


@dataclass(frozen=True)
class FoundObject:
    """One object that the model says is there."""

    label: str
    confidence: float
    """From 0 to 1."""
    box: Box | None
    """x, y, width, height in pixels."""


@dataclass(frozen=True)
class RecognitionAnswer:
    """An answer, part by part."""

    content: Mapping[str, Any]
    """The JSON as it came."""
    objects: tuple[FoundObject, ...] | Unusable
    description: str | Unusable
    text: str | Unusable
    """Several texts are lines, in their order."""


class NotAnAnswerError(UsageError):
    """What came back is not an answer at all."""


def read_answer(file: Path, size: Size | None) -> RecognitionAnswer:
    """Read what came back.

    Args:
        file: JSON.
        size: width and height of the picture as it stands upright, which boxes must lie in; ``None``: not known.

    Raises:
        NotAnAnswerError: it is not a JSON object.
    """
    try:
        with open_regular(file, where=file.name) as opened:
            content = read_json(opened.read(MAX_BYTES + 1))
    except JsonError as error:
        raise NotAnAnswerError(f"the answer is not JSON: {error}") from error
    except RecursionError as error:
        raise NotAnAnswerError("the answer is not JSON: it is nested too deeply") from error
    if not isinstance(content, dict):
        raise NotAnAnswerError(f"the answer is {kind_of_json(content)}, not an object with 'objects'")
    return RecognitionAnswer(content, _objects(content, size), _text_at(content, "description"), _texts(content))


def _objects(content: Mapping[str, Any], size: Size | None) -> tuple[FoundObject, ...] | Unusable:
    if "objects" not in content:
        return Unusable("the answer has no 'objects'")
    objects = content["objects"]
    if not isinstance(objects, list):
        return Unusable(f"'objects' is {kind_of_json(objects)}, not a list")
    if len(objects) > MAX_OBJECTS:
        return Unusable(f"the answer has {len(objects):,} objects, and {MAX_OBJECTS:,} are the limit")
    found = []
    for number, each in enumerate(objects):
        one = _object(each, f"objects[{number}]", size)
        if isinstance(one, Unusable):
            return one
        found.append(one)
    return tuple(found)


def _object(value: Any, place: str, size: Size | None) -> FoundObject | Unusable:
    if not isinstance(value, dict):
        return Unusable(f"{place} is {kind_of_json(value)}, not an object")
    label, confidence = value.get("label"), value.get("confidence")
    if "label" not in value or "confidence" not in value:
        return Unusable(f"{place} has no '{'confidence' if 'label' in value else 'label'}'")
    if not isinstance(label, str):
        return Unusable(f"{place}.label is {kind_of_json(label)}, not text")
    if len(label) > MAX_LABEL or is_blank(label):
        return Unusable(f"{place}.label is {'blank' if len(label) <= MAX_LABEL else f'{len(label):,} characters long'}")
    if (compared := len(plain(label))) > MAX_LABEL:
        return Unusable(f"{place}.label is {compared:,} characters long once NFKC has taken them apart")
    if not _is_number(confidence) or not 0 <= confidence <= 1:
        return Unusable(f"{place}.confidence is {show_json(confidence)}, not a number from 0 to 1")
    box = box_of(value["box"], f"{place}.box", size) if value.get("box") is not None else None
    return box if isinstance(box, Unusable) else FoundObject(label, float(confidence), box)


def box_of(value: Any, place: str, size: Size | None) -> Box | Unusable:
    """A box, as it must be; or why it is none. ``place`` names it."""
    if not isinstance(value, list) or len(value) != 4 or not all(map(_is_number, value)):
        return Unusable(f"{place} is {show_json(value)}, not [x, y, width, height] in pixels")
    x, y, width, height = map(float, value)
    if width <= 0 or height <= 0:
        return Unusable(f"{place} is {show_json(value)}: its width and height must be above 0")
    if size is not None:
        inside = x >= -SLACK and y >= -SLACK and x + width <= size[0] + SLACK and y + height <= size[1] + SLACK
        if not inside:
            return Unusable(f"{place} is {show_json(value)}: it is not inside the picture, {size[0]}x{size[1]} pixels")
    return x, y, width, height


def _is_number(value: Any) -> TypeGuard[int | float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e9 and math.isfinite(value)


def _text_at(content: Mapping[str, Any], name: str) -> str | Unusable:
    if name not in content:
        return Unusable(f"the answer has no '{name}'")
    return _text(content[name], f"'{name}'")


def _text(value: Any, place: str) -> str | Unusable:
    if not isinstance(value, str):
        return Unusable(f"{place} is {kind_of_json(value)}, not text")
    if len(value) > MAX_TEXT:
        return Unusable(f"{place} has {len(value):,} characters, and {MAX_TEXT:,} are the limit")
    if has_too_many_marks(value):
        return Unusable(f"{place} has over {MOST_MARKS} combining marks in a row")
    if (compared := len(plain(value))) > MAX_TEXT:
        return Unusable(
            f"{place} has {compared:,} characters once NFKC has taken them apart, and {MAX_TEXT:,} are the limit"
        )
    return value


def _texts(content: Mapping[str, Any]) -> str | Unusable:
    """A text, or a list of objects each of which has one."""
    value = content.get("text")
    if not isinstance(value, list):
        return _text_at(content, "text")
    if len(value) > MAX_OBJECTS:
        return Unusable(f"'text' has {len(value):,} entries, and {MAX_OBJECTS:,} are the limit")
    lines: list[str] = []
    length = 0
    for number, each in enumerate(value):
        if not isinstance(each, dict) or "text" not in each:
            return Unusable(f"text[{number}] is not an object with 'text'")
        line = _text(each["text"], f"text[{number}].text")
        if isinstance(line, Unusable):
            return line
        if (length := length + len(line)) > MAX_TEXT:
            return Unusable(f"'text' has over {MAX_TEXT:,} characters in its first {number + 1:,} entries")
        lines.append(line)
    return _text("\n".join(lines), "'text'")


def surest_by_label(objects: Sequence[FoundObject], synonyms: Synonyms) -> dict[str, float]:
    """Each different label that was found → the highest confidence, the surest first, of equals the first."""
    found: dict[str, float] = {}
    for each in objects:
        meaning = synonyms.meaning(each.label)
        found[meaning] = max(each.confidence, found.get(meaning, 0.0))
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))
