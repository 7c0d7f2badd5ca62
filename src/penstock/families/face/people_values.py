"""Error rates over all pairs of images of known people, and what each image has to do with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, measurement
from penstock.families.face.known_people import KnownPeople, known_people, resamples_of
from penstock.families.face.metrics import tar_name
from penstock.metrics.embeddings import image_errors, score_all_pairs, unit_vectors
from penstock.metrics.false_accept_rates import ONE_IN
from penstock.metrics.quality import discard_curve
from penstock.metrics.verification_resamples import draw_identities
from penstock.metrics.verification_scores import VerificationScores

RATES = ("eer", *map(tar_name, ONE_IN))
BY_IMAGE = ("fnmr", "fmr")
NEVER_DISCARDED = 2.0
"""The quality of an image that has none: to discard it first would flatter."""


def people_values(cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
    """``eer``, ``tar_…``, ``discard``, and of each good image of a known person ``fnmr`` and ``fmr``."""
    good = known_people(cases, answers)
    reasons = {id(case): answer for case, answer in zip(cases, answers, strict=True)}
    if fault := good.fault():
        for name in (*RATES, "discard"):
            yield measurement(WHOLE_SUITE, name, fault)
        for case in good.cases:
            for name in BY_IMAGE:
                yield measurement(case.name, name, fault, slices=case.slices)
        return
    rates = score_all_pairs(good.vectors(), good.vectors(), good.numbers, missing=good.missing)
    yield from _rates(good, rates)
    threshold = np.inf if rates.eer_threshold is None else rates.eer_threshold
    yield from _by_image(good, [reasons[id(case)] for case in good.cases], threshold)
    yield _discard(known_people(cases, answers, lambda _: True), threshold)


def people_slice_values(cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
    """``eer`` and ``tar_…`` of a slice: of all pairs of its own good images, at thresholds of its own."""
    good = known_people(cases, answers)
    if fault := good.fault("slice"):
        yield from (measurement(WHOLE_SUITE, name, fault) for name in RATES)
    else:
        yield from _rates(good, score_all_pairs(good.vectors(), good.vectors(), good.numbers, missing=good.missing))


def _rates(good: KnownPeople, rates: VerificationScores) -> Iterator[Measurement]:
    lost, drawn = good.lost() or None, rates.resampled
    eer = good.resamples(drawn.eer) if drawn is not None else None
    yield measurement(WHOLE_SUITE, "eer", rates.eer, resamples=eer, why=lost)
    for far, tar in rates.tar.items():
        if tar is None:
            yield measurement(WHOLE_SUITE, tar_name(far), rates.reasons[f"tar {far}"])
        else:
            values = good.resamples(drawn.tar[ONE_IN[far]]) if drawn is not None else None
            yield measurement(WHOLE_SUITE, tar_name(far), tar, resamples=values, why=lost)


def _by_image(good: KnownPeople, answers: Sequence[Answer], threshold: float) -> Iterator[Measurement]:
    vectors = good.vectors()
    errors = image_errors(vectors, vectors, good.numbers, threshold, missing=good.missing)
    for place, (case, features, answer) in enumerate(zip(good.cases, good.features, answers, strict=True)):
        if features is None:
            reason = next((value for value in answer.values.values() if isinstance(value, str)), "it has no answer")
            for name in BY_IMAGE:
                yield measurement(case.name, name, reason, slices=case.slices)
            continue
        if errors.genuine[place]:
            share = float(errors.rejected[place] / errors.genuine[place])
            yield measurement(case.name, "fnmr", share, slices=case.slices)
        else:
            alone = "the suite has no other good image of this person"
            yield measurement(case.name, "fnmr", alone, slices=case.slices, applies=False)
        share = float(errors.accepted[place] / errors.impostors[place])
        yield measurement(case.name, "fmr", share, slices=case.slices)


@dataclass(frozen=True)
class GenuineErrors:
    """All comparisons of one person at a threshold.

    Attributes:
        error: float64 (n,): 1 where it is rejected, else 0.
        quality: float64 (n,): the lower quality score of its two images.
        whose: int (n,): whose it is.
    """

    error: npt.NDArray[np.float64]
    quality: npt.NDArray[np.float64]
    whose: npt.NDArray[np.intp]


def genuine_errors(everyone: KnownPeople, threshold: float) -> GenuineErrors:
    """Compare the images of each person; one without a vector is rejected. All vectors are of one length."""
    first, second = _genuine_pairs(everyone.numbers)
    missing = everyone.missing
    vectors = unit_vectors(np.where(missing[:, None], 1.0, everyone.vectors()))
    scores = np.einsum("ij,ij->i", vectors[first], vectors[second])
    error = ((scores < np.float32(threshold)) | missing[first] | missing[second]).astype(np.float64)
    quality = np.array([NEVER_DISCARDED if found is None else found.quality for found in everyone.features])
    return GenuineErrors(error, np.minimum(quality[first], quality[second]), everyone.numbers[first])


def _discard(everyone: KnownPeople, threshold: float) -> Measurement:
    """The area under the curve of rejected comparisons of one person; the lower quality of two images decides."""
    if everyone.length is None:
        return measurement(WHOLE_SUITE, "discard", "the images' vectors differ in how many values they have")
    found = genuine_errors(everyone, threshold)
    area = discard_curve(found.quality, found.error).area
    owners, numbers = np.unique(found.whose, return_inverse=True)
    counts = draw_identities(len(owners)).astype(np.int64)[numbers]
    values = [discard_curve(np.repeat(found.quality, n), np.repeat(found.error, n)).area for n in counts.T]
    text = "\n".join(sorted(f"{case.name}\t{case.identity}" for case in everyone.cases))
    resamples = resamples_of(text, len(owners), np.array(values))
    return measurement(WHOLE_SUITE, "discard", area, resamples=resamples, why=everyone.lost() or None)


def _genuine_pairs(numbers: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places of both images of each pair of one person."""
    pairs = [
        (places[i], places[j])
        for places in (np.flatnonzero(numbers == number) for number in range(int(numbers.max()) + 1))
        for i, j in zip(*np.triu_indices(len(places), 1), strict=True)
    ]
    found = np.array(pairs, np.intp).reshape(-1, 2)
    return found[:, 0], found[:, 1]
