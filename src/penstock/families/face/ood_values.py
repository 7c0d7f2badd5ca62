"""What the quality score is good for: finding the images that recognition should not be asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, measurement
from penstock.families.face.case import FaceCase
from penstock.families.face.features import FaceFeatures
from penstock.families.face.known_people import lost_in_words, resamples_of
from penstock.metrics.quality import auroc, fpr95
from penstock.metrics.verification_resamples import draw_identities

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Value = Callable[[Numbers, Flags], float]
VALUES: dict[str, Value] = {"auroc": auroc, "fpr95": fpr95}
LOW, HIGH = -1.0, 2.0
"""The quality of a good image without an answer, and of another: both rank as wrongly as they can."""
INVERTED = "below 0.5: the score looks inverted, low for good images"


def ood_values(cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
    """``auroc`` and ``fpr95`` of images out of distribution, found by a low quality score."""
    images = [
        (case, answer.features if isinstance(answer.features, FaceFeatures) else None)
        for case, answer in zip(cases, answers, strict=True)
        if isinstance(case, FaceCase) and not case.is_pair
    ]
    ood = np.array([case.ood is not None for case, _ in images], np.bool_)
    if ood.all() or not ood.any():
        kind = "good images" if len(images) and ood.all() else "images out of distribution that are to be answered"
        for name in VALUES:
            yield measurement(WHOLE_SUITE, name, f"the suite has no {kind}")
        return
    quality = np.array(
        [(HIGH if case.ood else LOW) if found is None else found.quality for case, found in images], np.float64
    )
    answered = np.array([found is not None for _, found in images], np.bool_)
    inverted = _inverted(quality[answered], ood[answered])
    lost = lost_in_words([case.name for case, found in images if found is None], "count as ranked wrong")
    groups = [case.identity or f"\t{case.name}" for case, _ in images]
    drawn = _draws(np.array(groups, np.str_), ood)
    text = "\n".join(sorted(f"{case.name}\t{case.identity}\t{case.ood}" for case, _ in images))
    for name, value in VALUES.items():
        found = value(quality, ood)
        resamples = resamples_of(text, len(set(groups)), np.array([value(quality[rows], ood[rows]) for rows in drawn]))
        why = "; ".join(filter(None, [INVERTED if name == "auroc" and inverted else "", lost])) or None
        yield measurement(WHOLE_SUITE, name, found, resamples=resamples, why=why)


def _inverted(quality: Numbers, ood: Flags) -> bool:
    """Whether the scores themselves are the wrong way round: images without an answer say nothing of that."""
    return bool(ood.any() and not ood.all() and auroc(quality, ood) < 0.5)


def _draws(groups: npt.NDArray[np.str_], ood: Flags) -> list[npt.NDArray[np.intp]]:
    """Places of the images in each resample: identities are drawn, those of either kind by themselves."""
    parts = []
    for kind in (True, False):
        places = np.flatnonzero(ood == kind)
        names, numbers = np.unique(groups[places], return_inverse=True)
        counts = draw_identities(len(names)).astype(np.int64)[numbers]
        parts.append([np.repeat(places, count) for count in counts.T])
    return [np.concatenate(both) for both in zip(*parts, strict=True)]
