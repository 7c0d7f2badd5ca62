"""The worst pairs of a suite of faces, for the report to show side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from penstock.bundle.figures_record import PairsFigure, PairSide, PicturePair
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer
from penstock.families.face.case import FaceCase
from penstock.families.face.features import FaceFeatures, PairFeatures
from penstock.families.face.known_people import KnownPeople
from penstock.metrics.embeddings import drift
from penstock.metrics.pair_extremes import ScoredPair, least_alike_genuine, most_alike_impostors

OF_EACH_KIND = 6
"""Pairs of one person, and of two."""
NOT_THE_SAME = (
    "Of the pairs of good images that were put to the service; one that was refused counts as the least alike."
)


@dataclass(frozen=True)
class _Kind:
    name: str
    expected: str
    title: str


ONE = _Kind("one", "one person", "The least alike of one person")
TWO = _Kind("two", "two people", "The most alike of two people")


def image_pairs(good: KnownPeople, released: KnownPeople | None, threshold: float | None) -> Iterator[PairsFigure]:
    """Of all pairs of good images: the least alike of one person and the most alike of two.

    Args:
        good: the candidate's.
        released: the released model's, of the same images in the same order; ``None``: there is none.
        threshold: from which on a pair is accepted.
    """
    vectors, missing = good.vectors(), good.missing
    for kind, extremes in ((ONE, least_alike_genuine), (TWO, most_alike_impostors)):
        pairs = [
            PicturePair(
                first=_side(good, found.first),
                second=_side(good, found.second),
                expected=kind.expected,
                said=_said(found.score, threshold, same=kind is ONE),
                released=_similarity(released, found) if released is not None else "",
            )
            for found in extremes(vectors, good.numbers, OF_EACH_KIND, missing=missing)
        ]
        note = "Of all pairs of good images."
        if threshold is not None:
            note += f" The threshold is that of the EER, {threshold:z.3f}."
        if pairs:
            yield PairsFigure(name=f"images-{kind.name}", title=kind.title, note=note, pairs=pairs)


def _side(good: KnownPeople, place: int) -> PairSide:
    return PairSide(case=good.cases[place].name, input="image", who=good.people[good.numbers[place]])


def _said(score: float, threshold: float | None, *, same: bool) -> str:
    accepted = threshold is not None and np.float32(score) >= np.float32(threshold)
    return f"{score:z.3f}: {'accepted' if accepted else 'rejected'}{'' if accepted == same else ', wrongly'}"


def _similarity(released: KnownPeople, pair: ScoredPair) -> str:
    """What the released model's vectors say of the same two images."""
    both = [released.features[place] for place in (pair.first, pair.second)]
    known = [found for found in both if isinstance(found, FaceFeatures)]
    if len(known) < 2 or len(known[0].vector) != len(known[1].vector):
        return "no similarity"
    return f"{float(drift(known[0].vector[None], known[1].vector[None])[0]):z.3f}"


def compared_pairs(
    cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer] | None
) -> Iterator[PairsFigure]:
    """Of the pairs that were put to ``/compare``: the least alike of one person and the most alike of two."""
    others: Sequence[Answer | None] = released if released is not None else [None] * len(cases)
    known = [
        (case, answer.features, other)
        for case, answer, other in zip(cases, answers, others, strict=True)
        if isinstance(case, FaceCase)
        and case.is_pair
        and case.same is not None
        and case.ood is None
        and isinstance(answer.features, PairFeatures)
    ]
    for kind in (ONE, TWO):
        sign = 1 if kind is ONE else -1
        of_kind = sorted(
            (each for each in known if each[0].same is (kind is ONE)), key=lambda each: sign * _rank(each[1])
        )
        pairs = [_compared(kind, case, found, other) for case, found, other in of_kind[:OF_EACH_KIND]]
        if pairs:
            title = f"{kind.title}, of the pairs that were compared"
            yield PairsFigure(name=f"compared-{kind.name}", title=title, note=NOT_THE_SAME, pairs=pairs)


def _compared(kind: _Kind, case: FaceCase, found: PairFeatures, other: Answer | None) -> PicturePair:
    first, second = case.identities or ("", "")
    before = other.features if other is not None else None
    return PicturePair(
        first=PairSide(case=case.name, input="first", who=first),
        second=PairSide(case=case.name, input="second", who=second),
        expected=kind.expected,
        said=_answered(found),
        released=_answered(before) if isinstance(before, PairFeatures) else "",
    )


def _rank(found: PairFeatures) -> float:
    return -np.inf if found.refused or found.similarity is None else found.similarity


def _answered(found: PairFeatures) -> str:
    said = "no similarity" if found.similarity is None else f"{found.similarity:z.3f}"
    return f"{said}, refused" if found.refused else said
