"""Files of answers and of ground truth: one pair, or two folders whose files are matched by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.evaluation.matched_folders import Matched, match_files
from penstock.evaluation.measurer import Value
from penstock.families.matting.clip_files import is_clip
from penstock.families.matting.clip_values import score_clip
from penstock.families.matting.files_of_case import hold_size, read_known
from penstock.families.matting.matte_pair import FRINGE, score_fringe, score_pair
from penstock.foundation.errors import UsageError
from penstock.media.mattes import Alpha, read_cutout, read_matte

TRUTH, TRIMAP, FOREGROUND = "truth", "trimap", "foreground"
ANSWER = "answer"
_WORDS = {TRUTH: "ground truth"}


@dataclass(frozen=True)
class MattePair:
    """An answer and what it is compared with."""

    name: str
    """Of the answer, without its suffix."""
    answer: Path | None = None
    known: Mapping[str, Path] = field(default_factory=dict)
    """``truth``, ``trimap``, ``foreground`` → file."""
    fault: str = ""
    """Why there is nothing to score: the partner is missing."""


def score_files(pair: MattePair) -> dict[str, Value]:
    """Every value of one answer, or the reason in its place.

    ``fringe`` is there where there are true colours, ``dtssd`` where it is a clip.

    Raises:
        UsageError: a file is missing or cannot be read as what it is; sizes differ.
    """
    if pair.answer is None:
        raise UsageError(pair.fault)
    files = {name: (path,) for name, path in pair.known.items()}
    if is_clip(pair.known[TRUTH]):
        values = score_clip(pair.answer, files, {}).values
        return {name: value for name, value in values.items() if name != FRINGE or FOREGROUND in files}
    known = read_known(files)
    (truth,) = known.truths
    alpha, colours = _read_answer(pair.answer, colours=known.foreground is not None)
    whose = f"the truth, '{pair.known[TRUTH].name}',"  # often of the same name
    hold_size(pair.answer.name, (alpha.shape[1], alpha.shape[0]), known.size, whose)
    values = score_pair(alpha, truth, known.unknown)
    if known.foreground is not None:
        values[FRINGE] = score_fringe(colours, known.foreground, truth)
    return values


def _read_answer(path: Path, *, colours: bool) -> tuple[Alpha, npt.NDArray[np.uint8] | None]:
    """Alpha, and the colours where they are wanted and there."""
    if not colours:
        return read_matte(path), None
    try:
        cutout = read_cutout(path)
    except UsageError:
        return read_matte(path), None
    return cutout.alpha, cutout.rgba


def pairs_of(answers: Path, known: Mapping[str, Path | None]) -> list[MattePair]:
    """The pairs of two folders, by the names of the files without their suffixes; in the order of the names.

    Args:
        answers: the folder of answers.
        known: ``truth``, ``trimap``, ``foreground`` → its folder, or ``None``.

    Raises:
        UsageError: a folder cannot be read, is empty, or holds two files of one name; one of them is a file.
    """
    folders = {_WORDS.get(what, what): folder for what, folder in known.items() if folder is not None}
    found = match_files({ANSWER: answers} | folders, named_by=(ANSWER, _WORDS[TRUTH]))
    return [_pair(matched, known) for matched in found]


def _pair(matched: Matched, known: Mapping[str, Path | None]) -> MattePair:
    if matched.fault:
        return MattePair(matched.name, fault=matched.fault)
    files = {what: matched.files[_WORDS.get(what, what)] for what, folder in known.items() if folder is not None}
    return MattePair(matched.name, matched.files[ANSWER], files)
