"""Answers of an exported recognition model against those of its trained weights: labels, boxes, texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from penstock.contract.placeholders import Scalar
from penstock.families.recognition.answer_file import (
    Box,
    FoundObject,
    RecognitionAnswer,
    Unusable,
    read_answer,
    surest_by_label,
)
from penstock.families.recognition.synonyms import Synonyms
from penstock.foundation.errors import UsageError
from penstock.metrics.detection import overlap
from penstock.metrics.recognition_text import edit_distance, plain

Objects = Sequence[FoundObject]


def compare(
    trained: Mapping[str, Path],
    exported: Mapping[str, Path],
    given: Mapping[str, Scalar],  # noqa: ARG001 (no parameter says how two answers are compared)
) -> dict[str, float]:
    """How far two answers lie apart. A part that neither has (a service without texts) is no difference.

    Args:
        trained: the answer with the trained weights, by the name of the call.
        exported: that with the exported file.
        given: the case's parameters.

    Returns:
        All from 0 to 1. ``labels``: share of the different labels that only one of the two names. ``confidence``: the
        largest difference of a label's highest confidence, of labels that both name. ``boxes``: 1 − IoU of the box that
        is farthest from the nearest box of its label in the other answer, of labels that both name. ``text`` and
        ``description``: edits from one to the other, by the characters of the longer one.

    Raises:
        UsageError: one of the two is no answer, or lacks a part that the other has; a part of both cannot be read, and
            is not the same in both.
    """
    one, other = _answer(trained), _answer(exported)
    for part in ("objects", "text", "description"):
        _hold_readable(part, one, other)
    found = dict.fromkeys(("labels", "confidence", "boxes"), 0.0)
    if isinstance(one.objects, tuple) and isinstance(other.objects, tuple):
        found = _objects_apart(one.objects, other.objects)
    return found | {
        "text": _texts_apart(one.text, other.text),
        "description": _texts_apart(one.description, other.description),
    }


def _answer(outputs: Mapping[str, Path]) -> RecognitionAnswer:
    if len(outputs) != 1:
        raise UsageError("the case has several calls, and a recognition is one answer")
    (file,) = outputs.values()
    return read_answer(file, None)


def _hold_readable(part: str, one: RecognitionAnswer, other: RecognitionAnswer) -> None:
    """Refuse a part that one answer lacks alone, or that nobody can compare."""
    ours, theirs = getattr(one, part), getattr(other, part)
    if isinstance(ours, Unusable) and isinstance(theirs, Unusable):
        if one.content.get(part, ...) != other.content.get(part, ...):
            raise UsageError(f"with the trained weights: {ours.reason}; with the exported file: {theirs.reason}")
    elif isinstance(ours, Unusable):
        raise UsageError(f"with the trained weights: {ours.reason}")
    elif isinstance(theirs, Unusable):
        raise UsageError(f"with the exported file: {theirs.reason}")


def _objects_apart(one: Objects, other: Objects) -> dict[str, float]:
    ours, theirs = (surest_by_label(objects, Synonyms()) for objects in (one, other))
    both, either = ours.keys() & theirs.keys(), ours.keys() | theirs.keys()
    here, there = _boxes_by_label(one), _boxes_by_label(other)
    return {
        "labels": 1 - len(both) / len(either) if either else 0.0,
        "confidence": max((abs(ours[label] - theirs[label]) for label in both), default=0.0),
        "boxes": max((_boxes_apart(here[label], there[label]) for label in both), default=0.0),
    }


def _boxes_by_label(objects: Objects) -> Mapping[str, list[Box]]:
    found: dict[str, list[Box]] = defaultdict(list)
    for each in objects:
        if each.box is not None:
            found[Synonyms().meaning(each.label)].append(each.box)
    return found


def _boxes_apart(one: Sequence[Box], other: Sequence[Box]) -> float:
    """1 − IoU of the box of either side that is farthest from all of the other's; 1 where only one has boxes."""
    if not one or not other:
        return 0.0 if len(one) == len(other) else 1.0
    first, second = np.array(one, np.float64), np.array(other, np.float64)
    same = set(one) & set(other)  # their IoU is 1, and not what rounding makes of it: a limit may be 0
    # Box by box: a table of all with all would be as large as a hostile answer likes.
    sides = ((one, second), (other, first))
    shares = (
        float(overlap(np.array([box], np.float64), there).max())
        for here, there in sides
        for box in here
        if box not in same
    )
    return max(0.0, 1.0 - min(shares, default=1.0))


def _texts_apart(one: str | Unusable, other: str | Unusable) -> float:
    if isinstance(one, Unusable) or isinstance(other, Unusable):
        return 0.0
    one, other = plain(one), plain(other)
    longer = max(len(one), len(other))
    return edit_distance(one, other) / longer if longer else 0.0
