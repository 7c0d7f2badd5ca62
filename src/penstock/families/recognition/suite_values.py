"""The values of a recognition suite as a whole: mAP, calibration, risk over coverage; each with its resamples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.bundle.models import WHOLE_SUITE, Measurement, Resamples
from penstock.evaluation.measurer import measurement
from penstock.families.recognition.features import CaseFeatures
from penstock.metrics.calibration import resampled_calibration_error, resampled_risk_coverage
from penstock.metrics.clip_resamples import draw_clips
from penstock.metrics.detection import PictureBoxes, mean_average_precision

Values = npt.NDArray[np.float64]
Counts = npt.NDArray[Any]
RESAMPLE_DIGITS = 9
"""Significant digits of a resampled value: more is rounding that differs between machines."""
BOXES, SURE = ("map", "map50"), ("ece", "aurc")


def suite_values(names: Sequence[str], features: Sequence[CaseFeatures | None]) -> Iterator[Measurement]:
    """The lines of ``map``, ``map50``, ``ece`` and ``aurc``.

    A value leaves out the cases that do not say what it asks for, and has a reason where a case has no answer that can
    be used: one over the others would flatter.

    Args:
        names: of the cases.
        features: of each; ``None``: it failed.
    """
    for name, each in zip(names, features, strict=True):
        if (reason := "it has no answer that can be measured" if each is None else each.fault) != "":
            for metric in (*BOXES, *SURE):
                yield measurement(WHOLE_SUITE, metric, f"case '{name}': {reason}")
            return
    by_name = {name: each for name, each in zip(names, features, strict=True) if each is not None}
    yield from _of_boxes({name: each.boxes for name, each in by_name.items() if each.boxes is not None})
    yield from _calibration(by_name)
    yield from _risk({name: each.surest for name, each in by_name.items() if each.surest is not None})


def _of_boxes(boxes: dict[str, PictureBoxes | str]) -> Iterator[Measurement]:
    if not boxes:
        yield from (_inapplicable(metric, "no case says where its objects are") for metric in BOXES)
        return
    pictures: dict[str, PictureBoxes] = {}
    for name, each in boxes.items():
        if isinstance(each, str):
            yield from (measurement(WHOLE_SUITE, metric, f"case '{name}': {each}") for metric in BOXES)
            return
        pictures[name] = each
    drawn = _Drawn(list(pictures))
    found = mean_average_precision([pictures[name] for name in drawn.names], drawn.counts)
    for metric, values in zip(BOXES, (found.mean(axis=1), found[:, 0]), strict=True):
        yield drawn.measurement(metric, values)


def _calibration(features: dict[str, CaseFeatures]) -> Iterator[Measurement]:
    """Over all labels that were found; a resample draws cases, with all that was found in them."""
    saying = {name: each for name, each in features.items() if each.confidence is not None}
    if not saying:
        yield _inapplicable("ece", "no case names labels")
        return
    drawn = _Drawn(list(saying))
    found = [(place, *pair) for place, name in enumerate(drawn.names) for pair in _predictions(saying[name])]
    if not found:
        yield measurement(WHOLE_SUITE, "ece", "no label was found in any case that names some")
        return
    places = np.array([place for place, _, _ in found])
    confidence, correct = np.array([c for _, c, _ in found]), np.array([right for _, _, right in found])
    values = resampled_calibration_error(confidence, correct, drawn.counts, owners=places)
    yield drawn.measurement("ece", values)


def _predictions(features: CaseFeatures) -> Iterator[tuple[float, bool]]:
    yield from zip(features.confidence or (), features.correct, strict=True)


def _risk(surest: dict[str, tuple[float, float]]) -> Iterator[Measurement]:
    if not surest:
        yield _inapplicable("aurc", "no case names labels")
        return
    drawn = _Drawn(list(surest))
    confidence, loss = np.array([surest[name] for name in drawn.names]).T
    yield drawn.measurement("aurc", resampled_risk_coverage(confidence, loss, drawn.counts))


class _Drawn:
    """The cases themselves, and resamples of them: the same for the same names on both sides of a comparison."""

    def __init__(self, names: list[str]) -> None:
        self.names = sorted(names)
        drawn = draw_clips(self.names)
        self.key = drawn.key
        self.counts: Counts = np.vstack([np.ones((1, len(names)), np.int64), drawn.counts])

    def measurement(self, metric: str, values: Values) -> Measurement:
        """The value, and those of the resamples: none where a resample holds nothing that it can be taken from."""
        again = [float(f"{value:.{RESAMPLE_DIGITS}g}") for value in values[1:]]
        resamples = None
        if len(self.names) > 1 and all(map(math.isfinite, again)):
            resamples = Resamples(cases=len(self.names), key=self.key, values=again)
        return measurement(WHOLE_SUITE, metric, float(values[0]), resamples=resamples)


def _inapplicable(metric: str, why: str) -> Measurement:
    return measurement(WHOLE_SUITE, metric, why, applies=False)
