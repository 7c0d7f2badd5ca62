"""Error rates of the similarities that a service gives for the suite's pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, measurement
from penstock.families.face.case import FaceCase
from penstock.families.face.features import PairFeatures
from penstock.families.face.known_people import lost_in_words, resamples_of
from penstock.families.face.measurable import pairs_fault
from penstock.metrics.verification import sort_pairs
from penstock.metrics.verification_scores import sort_owned_pairs, verification_scores


def pair_values(cases: Sequence[Case], answers: Sequence[Answer], of: str = "suite") -> Iterator[Measurement]:
    """``pair_eer`` of pairs of good images: one that is refused, or that failed, scores below all others.

    Args:
        cases: of the suite, or of a slice.
        answers: one a case.
        of: what they are all the cases of.
    """
    pairs = [
        (case, answer.features)
        for case, answer in zip(cases, answers, strict=True)
        if isinstance(case, FaceCase) and case.is_pair and case.same is not None and case.ood is None
    ]
    same = np.array([bool(case.same) for case, _ in pairs], np.bool_)
    if fault := pairs_fault(same.tolist(), of):
        yield measurement(WHOLE_SUITE, "pair_eer", fault, applies=bool(pairs))
        return
    said = [found.similarity if isinstance(found, PairFeatures) and not found.refused else None for _, found in pairs]
    scores = _ranks(said)
    lost = lost_in_words([case.name for case, found in pairs if not isinstance(found, PairFeatures)]) or None
    names = [case.identities for case, _ in pairs]
    if any(name is None for name in names):
        rates = verification_scores(sort_pairs(scores, same))
        yield measurement(WHOLE_SUITE, "pair_eer", rates.eer if rates is not None else "there is none", why=lost)
        return
    people, numbers = np.unique(np.array(names, np.str_), return_inverse=True)
    first, second = np.asarray(numbers, np.intp).reshape(-1, 2).T
    rates = verification_scores(*sort_owned_pairs(scores, same, first, second, len(people)))
    if rates is None:
        raise AssertionError("all impostor pairs are known here")
    drawn = rates.resampled.eer if rates.resampled is not None else None
    resamples = None
    if drawn is not None and np.isfinite(drawn).all():
        text = "\n".join(sorted(f"{case.name}\t{case.identities}" for case, _ in pairs))
        resamples = resamples_of(text, len(people), drawn)
    yield measurement(WHOLE_SUITE, "pair_eer", rates.eer, resamples=resamples, why=lost)


def _ranks(said: Sequence[float | None]) -> npt.NDArray[np.float64]:
    """The similarities by their order, from 1 on, equal ones alike; 0 where there is none.

    Error rates ask for nothing but the order, and nothing bounds what a service says: no number lies safely below.
    """
    ranks = np.zeros(len(said))
    known = [place for place, value in enumerate(said) if value is not None]
    _, order = np.unique(np.array([value for value in said if value is not None], np.float64), return_inverse=True)
    ranks[known] = order + 1.0
    return ranks
