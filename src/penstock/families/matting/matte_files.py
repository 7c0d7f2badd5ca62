"""Files of answers and of ground truth: one pair, or two folders whose files are matched by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.evaluation.measurer import Value
from penstock.families.matting.clip_files import is_clip
from penstock.families.matting.clip_values import score_clip
from penstock.families.matting.files_of_case import hold_size, read_known
from penstock.families.matting.matte_pair import FRINGE, score_fringe, score_pair
from penstock.foundation.errors import UsageError
from penstock.foundation.media_kinds import is_note
from penstock.media.mattes import Alpha, read_cutout, read_matte

TRUTH, TRIMAP, FOREGROUND = "truth", "trimap", "foreground"


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
    hold_size(pair.answer.name, (alpha.shape[1], alpha.shape[0]), known.size, pair.known[TRUTH].name)
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
    ours = _by_stem(answers)
    others = {what: _by_stem(folder) for what, folder in known.items() if folder is not None}
    names = sorted(ours.keys() | others[TRUTH].keys())
    return [_pair(name, ours.get(name), {what: files.get(name) for what, files in others.items()}) for name in names]


def _pair(name: str, answer: Path | None, known: Mapping[str, Path | None]) -> MattePair:
    missing = "answer" if answer is None else next((what for what, path in known.items() if path is None), "")
    if missing:
        words = {TRUTH: "ground truth"}.get(missing, missing)
        return MattePair(name, fault=f"there is no {words} of this name")
    return MattePair(name, answer, {what: path for what, path in known.items() if path is not None})


def _by_stem(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        what = "this is a file, where a folder is wanted" if folder.exists() else "the folder is missing"
        raise UsageError(what, where=str(folder), todo="Give files throughout, or folders throughout.")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if is_note(path.name) or path.is_dir():
            continue
        if path.stem in found:
            what = f"'{found[path.stem].name}' and '{path.name}' have one name"
            raise UsageError(what, where=str(folder), todo="Keep one of them.")
        found[path.stem] = path
    if not found:
        raise UsageError("the folder holds no picture", where=str(folder), todo="Put mattes there.")
    return found
