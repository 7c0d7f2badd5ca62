"""What is measured of a clip: the means over its frames, its flicker, and each frame's values for the report."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from penstock.contract.placeholders import Scalar
from penstock.evaluation.measurer import Answer, Value
from penstock.families.matting.answer_size import size_fault
from penstock.families.matting.clip_files import read_known_clip
from penstock.families.matting.edge_series import edge_series
from penstock.families.matting.files_of_case import CaseTruth
from penstock.families.matting.matte_pair import FRINGE, score_fringe, score_pair
from penstock.families.matting.metrics import METRICS
from penstock.foundation.errors import UsageError
from penstock.media.alpha_frames import AlphaFrame, read_alpha_frames
from penstock.media.container import probe
from penstock.media.mattes import Alpha
from penstock.metrics.flicker import Flicker

DTSSD = "dtssd"
BETTER = {metric.name: metric.direction for metric in METRICS}
DIGITS = 6
"""Significant digits of what is kept of each frame, to be drawn."""


class ClipValues:
    """The values of an answer against one true clip, or of one true clip against another, frame by frame."""

    def __init__(self) -> None:
        self.by_frame: dict[str, list[float | None]] = defaultdict(list)
        """Metric → its value in each frame; ``None``: there is none."""
        self._flicker = Flicker()
        self._reasons: dict[str, str] = {}
        self._without: dict[str, str] = {}

    def look(self, answer: AlphaFrame, truth: Alpha, known: CaseTruth) -> None:
        """Measure the next frame."""
        values = score_pair(answer.alpha, truth, known.unknown)
        values[FRINGE] = score_fringe(answer.rgba, known.foreground, truth)
        number = self._flicker.frames + 1
        flicker = self._flicker.look(answer.alpha, truth)
        perfect: Mapping[str, Value] | None = None
        for name, value in values.items():
            self.by_frame[name].append(None if isinstance(value, str) else value)
            if not isinstance(value, str):
                continue
            perfect = _perfect(truth, known) if perfect is None else perfect
            if isinstance(perfect[name], str):
                self._without.setdefault(name, value)
            else:
                self._reasons.setdefault(name, f"frame {number}: {value}")
        self.by_frame[DTSSD].append(flicker)

    def values(self) -> dict[str, Value]:
        """Metric → the mean over the frames, or why there is none.

        A frame in which not even the truth itself has a value (no contour, no band) has none to give, and is left out.
        Any other frame without a value leaves the clip without one: to leave it out would flatter.
        """
        found: dict[str, Value] = {}
        for name, values in self.by_frame.items():
            have = [value for value in values if value is not None]
            if name in self._reasons:
                found[name] = self._reasons[name]
            elif name == DTSSD:
                found[name] = self._flicker.dtssd if self._flicker.frames > 1 else "the clip has one frame"
            else:
                found[name] = math.fsum(have) / len(have) if have else self._without[name]
        return found


def _perfect(truth: Alpha, known: CaseTruth) -> dict[str, Value]:
    """The values of a truth as an answer to itself."""
    values = score_pair(truth, truth, known.unknown)
    rgba = None
    if known.foreground is not None:
        rgba = np.dstack([known.foreground, np.rint(truth * 255).astype(np.uint8)])
    # an answer without colours has no fringe: that is the answer's fault where there are true ones
    return values | {FRINGE: score_fringe(rgba, known.foreground, truth)}


class NoClipError(UsageError):
    """What came back is no answer to the clip."""


def examine_clip(file: Path, files: Mapping[str, tuple[Path, ...]], given: Mapping[str, Scalar]) -> Answer:
    """As :func:`score_clip`, of an answer that is not trusted: what is wrong with it is a reason, not an exception.

    Raises:
        UsageError: the case's own files or parameters are wrong.
    """
    try:
        return score_clip(file, files, given)
    except NoClipError as error:
        return Answer(dict.fromkeys(BETTER, error.what))


def score_clip(file: Path, files: Mapping[str, tuple[Path, ...]], given: Mapping[str, Scalar]) -> Answer:
    """Measure the answer to a clip.

    Values are means over the truths, floors over the ordered pairs of truths, as for photos. Frames are compared by
    their number, whatever their times. One frame of each file is held.

    Args:
        file: what came back.
        files: ``truth``, ``trimap``, ``foreground`` → the clips that the case compares with.
        given: the case's parameters.

    Raises:
        NoClipError: the answer cannot be read as a clip with alpha, or is of another size or length.
        UsageError: the case's own files or parameters are wrong.
    """
    against: list[ClipValues] = [ClipValues() for _ in files["truth"]]
    apart = _Apart(len(files["truth"]))
    worst = _WorstFrame()
    answers = read_alpha_frames(file, colours="foreground" in files)
    truths = read_known_clip(files)
    count, size = 0, (0, 0)
    for known in truths:
        try:
            answer = next(answers, None)
        except UsageError as error:
            raise NoClipError(f"the output is not a clip with alpha, at frame {count + 1}: {error.what}") from error
        if answer is None:
            wanted = count + 1 + sum(1 for _ in truths)
            raise NoClipError(f"the answer has {count} frames where {wanted} are wanted")
        height, width = answer.alpha.shape
        size = (width, height)
        if (fault := size_fault(size, known.size, given)) is not None:
            raise NoClipError(fault)
        scaled = known.scaled(size)
        for truth, values in zip(scaled.truths, against, strict=True):
            values.look(answer, truth, scaled)
        apart.look(scaled)
        worst.look(answer.alpha, scaled.truths[0])
        count += 1
    try:
        more = next(answers, None) is not None
    except UsageError as error:
        raise NoClipError(f"the output is not a clip with alpha, after frame {count}: {error.what}") from error
    if more:
        raise NoClipError(f"the answer has more than the {count} frames that are wanted")
    series = {"fps": _rate(file)} | _series(against, worst)
    return Answer(mean_values([each.values() for each in against]), apart.floors(), series)


def _rate(file: Path) -> float:
    """Frames a second, for the report: values themselves know no times."""
    video = probe(file).video
    return video.fps if video is not None else 0.0


def mean_values(found: Sequence[Mapping[str, Value]]) -> dict[str, Value]:
    """Metric → the mean over the truths, or the first reason: one that leaves a truth out would flatter."""
    means: dict[str, Value] = {}
    for name in found[0]:
        values = [each[name] for each in found]
        reasons = [value for value in values if isinstance(value, str)]
        numbers = [value for value in values if not isinstance(value, str)]
        means[name] = reasons[0] if reasons else math.fsum(numbers) / len(numbers)
    return means


class _Apart:
    """How far apart several true clips are: of each ordered pair, what one lacks as an answer to the other."""

    def __init__(self, truths: int) -> None:
        self._pairs = {(one, other): ClipValues() for one in range(truths) for other in range(truths) if truths > 1}

    def look(self, known: CaseTruth) -> None:
        for (one, other), values in self._pairs.items():
            values.look(AlphaFrame(known.truths[other], None), known.truths[one], known)

    def floors(self) -> dict[str, float]:
        found: dict[str, list[Value]] = defaultdict(list)
        for (one, other), each in self._pairs.items():
            if one == other:
                continue
            perfect = self._pairs[one, one].values()
            for name, value in each.values().items():
                own = perfect[name]
                both = not isinstance(value, str) and not isinstance(own, str)
                found[name].append(abs(value - own) if both else "")  # type: ignore[operator]
        return {name: math.fsum(v) / len(v) for name, v in found.items() if all(isinstance(d, float) for d in v)}  # type: ignore[arg-type]


class _WorstFrame:
    """The frame whose alpha is farthest off the first truth, held to draw its edge at the end."""

    def __init__(self) -> None:
        self._count = 0
        self._error = -1.0
        self._held: tuple[int, Alpha, Alpha] | None = None

    def look(self, answer: Alpha, truth: Alpha) -> None:
        error = float(np.mean(np.abs(answer - truth)))
        if error > self._error:
            self._error, self._held = error, (self._count, answer, truth)
        self._count += 1

    def series(self) -> dict[str, Any]:
        if self._held is None:
            return {}
        frame, answer, truth = self._held
        return {"edge_frame": frame} | edge_series(answer, truth)


def _series(against: Sequence[ClipValues], worst: _WorstFrame) -> dict[str, Any]:
    """For the report: each metric's value a frame (of the means over the truths), the number of its worst frame (from
    0), and the edge of the frame whose alpha is farthest off.
    """
    lines: dict[str, list[float | None]] = {}
    for name in against[0].by_frame:
        columns = zip(*(each.by_frame[name] for each in against), strict=True)
        lines[name] = [_rounded(column) for column in columns]
    worst_frame = {name: at for name, line in lines.items() if (at := _worst(name, line)) is not None}
    return worst.series() | {"frames": len(lines[DTSSD]), "worst_frame": worst_frame} | lines


def _rounded(column: Sequence[float | None]) -> float | None:
    numbers = [value for value in column if value is not None]
    if len(numbers) < len(column):
        return None
    return float(f"{math.fsum(numbers) / len(numbers):.{DIGITS}g}")


def _worst(name: str, line: Sequence[float | None]) -> int | None:
    sign = -1.0 if BETTER[name] == "higher" else 1.0
    known = [(sign * value, -at) for at, value in enumerate(line) if value is not None]
    return -max(known)[1] if known else None
