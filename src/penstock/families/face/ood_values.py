"""What the quality score is good for: finding the images that recognition should not be asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, measurement
from penstock.families.face.case import FaceCase
from penstock.families.face.features import FaceFeatures
from penstock.families.face.known_people import lost_in_words, resamples_of
from penstock.families.face.measurable import kinds_fault
from penstock.metrics.quality import auroc, band_calibration, fpr95
from penstock.metrics.verification_resamples import RESAMPLES, draw_identities

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Value = Callable[[Numbers, Flags], float]
Image = tuple[FaceCase, FaceFeatures | None]
OF_BOTH_KINDS: dict[str, Value] = {"auroc": auroc, "fpr95": fpr95}
BANDS = "band_calibration"
WORST_GOOD, BEST_OOD = -1.0, 2.0
"""The quality of a good image without an answer, and of another: both rank as wrongly as they can."""
INVERTED = "below 0.5: the score looks inverted, low for good images"


def ood_values(
    cases: Sequence[Case], answers: Sequence[Answer], slice_name: str | None = None
) -> Iterator[Measurement]:
    """``auroc`` and ``fpr95`` of images out of distribution, found by a low quality score; ``band_calibration``.

    Of a slice that has images of one kind alone, the first two are over these and the suite's images of the other.

    Args:
        cases: of the suite.
        answers: one a case.
        slice_name: the slice that is measured; ``None``: the whole suite.
    """
    everything = [
        (case, answer.features if isinstance(answer.features, FaceFeatures) else None)
        for case, answer in zip(cases, answers, strict=True)
        if isinstance(case, FaceCase) and not case.is_pair
    ]
    images = [image for image in everything if slice_name is None or slice_name in image[0].slices]
    of = "suite" if slice_name is None else "slice"
    kinds = {case.ood is not None for case, _ in images}
    if fault := kinds_fault([case.ood is not None for case, _ in images], [_is_ood(each) for each in everything], of):
        yield from (measurement(WHOLE_SUITE, name, fault) for name in OF_BOTH_KINDS)
    elif len(kinds) > 1:
        yield from _values(images, OF_BOTH_KINDS)
    else:
        yield from _values([*images, *(each for each in everything if _is_ood(each) not in kinds)], OF_BOTH_KINDS)
    if images:
        yield from _values(images, {BANDS: _band_calibration})
    else:
        yield measurement(WHOLE_SUITE, BANDS, f"the {of} has no single images", applies=False)


def _is_ood(image: Image) -> bool:
    return image[0].ood is not None


def _band_calibration(quality: Numbers, ood: Flags) -> float:
    """An image without an answer is as wrong as can be, and makes up for no other: it is a gap of 1 by itself."""
    answered = (quality >= 0.0) & (quality <= 1.0)
    count = int(np.count_nonzero(answered))
    gaps = count * band_calibration(quality[answered], ood[answered]) if count else 0.0
    return (gaps + len(quality) - count) / len(quality)


def _values(images: Sequence[Image], values: Mapping[str, Value]) -> Iterator[Measurement]:
    ood = np.array([_is_ood(image) for image in images], np.bool_)
    quality = np.array(
        [(BEST_OOD if case.ood else WORST_GOOD) if found is None else found.quality for case, found in images],
        np.float64,
    )
    answered = np.array([found is not None for _, found in images], np.bool_)
    inverted = _inverted(quality[answered], ood[answered])
    lost = lost_in_words([case.name for case, found in images if found is None], "count as ranked wrong")
    groups = [case.identity or f"\t{case.name}" for case, _ in images]
    again: dict[str, list[float]] = {name: [] for name in values}
    for rows in _draws(np.array(groups, np.str_), ood):
        for name, value in values.items():
            again[name].append(value(quality[rows], ood[rows]))
    text = "\n".join(sorted(f"{case.name}\t{case.identity}\t{case.ood}" for case, _ in images))
    for name, value in values.items():
        found = value(quality, ood)
        resamples = resamples_of(text, len(set(groups)), np.array(again[name]))
        why = "; ".join(filter(None, [INVERTED if name == "auroc" and inverted else "", lost])) or None
        yield measurement(WHOLE_SUITE, name, found, resamples=resamples, why=why)


def _inverted(quality: Numbers, ood: Flags) -> bool:
    """Whether the scores themselves are the wrong way round: images without an answer say nothing of that."""
    return bool(ood.any() and not ood.all() and auroc(quality, ood) < 0.5)


def _draws(groups: npt.NDArray[np.str_], ood: Flags) -> Iterator[npt.NDArray[np.intp]]:
    """Places of the images in each resample: identities are drawn, those of either kind by themselves.

    One after the other: all of them together are 22 kB an image.
    """
    parts = []
    for kind in (True, False):
        if not len(places := np.flatnonzero(ood == kind)):
            continue
        names, numbers = np.unique(groups[places], return_inverse=True)
        parts.append((places, numbers, draw_identities(len(names))))
    for number in range(RESAMPLES):
        yield np.concatenate(
            [np.repeat(places, counts[:, number].astype(np.int64)[numbers]) for places, numbers, counts in parts]
        )
