"""What the report draws of a suite of faces as a whole: error rates, scores by kind, people, the worst pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from penstock.bundle.figures_record import Axis, CurveFigure, Figure, Group, HistogramFigure, Limit, Mark
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer
from penstock.families.face.case import FaceCase
from penstock.families.face.features import FaceFeatures
from penstock.families.face.known_people import KnownPeople, known_people
from penstock.families.face.metrics import tar_name
from penstock.families.face.pair_figures import compared_pairs, image_pairs
from penstock.families.face.people_figures import people_matrices
from penstock.families.face.people_values import genuine_errors
from penstock.metrics.embeddings import all_pairs
from penstock.metrics.false_accept_rates import ONE_IN, too_few
from penstock.metrics.quality import BANDS, discard_curve
from penstock.metrics.verification import (
    PairScores,
    det_points,
    equal_error_rate,
    find_edges,
    tar_at,
    threshold_at_eer,
)

RATE = Axis(title="", scale="probit", low=1e-6, high=0.5)
SCORE_BINS = 20
SIMILARITY_BINS = 80
MOST_KINDS = 12
"""Kinds of images that have a row of their own; the others are one row."""
GOOD, OTHERS = "good", "other kinds"
POINTS = 200


def figures(cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer] | None) -> Iterator[Figure]:
    """All that there is to draw, of what the suite has.

    Args:
        cases: of the suite.
        answers: of the candidate, one a case.
        released: of the released model; ``None``: there is none.
    """
    good = known_people(cases, answers)
    before = known_people(cases, released) if released is not None else None
    if not good.fault():
        pairs = all_pairs(good.vectors(), good.vectors(), good.numbers, missing=good.missing)
        threshold = threshold_at_eer(pairs)
        yield error_rates(pairs, len(good.people))
        yield from _discard(known_people(cases, answers, lambda _: True), threshold)
        yield similarities(pairs, threshold)
        yield from image_pairs(good, before, threshold)
        yield from people_matrices(good, before, threshold)
    yield from _scores(cases, answers)
    yield from compared_pairs(cases, answers, released)


def error_rates(pairs: PairScores, people: int) -> CurveFigure:
    """The DET curve, with the points at which rules can ask for something."""
    edges = find_edges(pairs)
    eer = equal_error_rate(edges)
    marks = [Mark(metric="eer", title="EER", x=eer, y=eer)]
    for far, one_in in ONE_IN.items():
        if too_few(one_in, people * (people - 1) // 2, of_identities=True) is None:
            mark = Mark(metric=tar_name(far), title=f"TAR at FAR {far}", x=1.0 / one_in, y=1.0 - tar_at(edges, one_in))
            marks.append(mark)
    return CurveFigure(
        name="det",
        title="Error rates (DET)",
        note=f"{len(pairs.genuine):,} comparisons of one person, {len(pairs.impostor):,} of two; lower left is better.",
        x=RATE.model_copy(update={"title": "false matches (FMR)"}),
        y=RATE.model_copy(update={"title": "false non-matches (FNMR)"}),
        points=[(0.0, 1.0), *((fmr, fnmr) for _, fmr, fnmr in det_points(pairs, POINTS)), (1.0, 0.0)],
        steps=True,
        marks=marks,
    )


def _discard(everyone: KnownPeople, threshold: float | None) -> Iterator[CurveFigure]:
    if everyone.length is None:
        return
    found = genuine_errors(everyone, np.inf if threshold is None else threshold)
    curve = discard_curve(found.quality, found.error)
    if len(curve.discarded) > POINTS:
        curve = curve.thinned(POINTS)
    yield CurveFigure(
        name="discard",
        title="Error versus discard",
        note="Comparisons of one person that are rejected at the threshold of the EER, among what is left when the "
        "lowest quality scores are discarded; it should fall.",
        x=Axis(title="discarded"),
        y=Axis(title="rejected", fit=True),
        points=[*zip(curve.discarded.tolist(), curve.error.tolist(), strict=True), (1.0, float(curve.error[-1]))],
        steps=True,
    )


def similarities(pairs: PairScores, threshold: float | None) -> HistogramFigure:
    """How alike images of one person are, and of two."""
    kinds = (("one person", pairs.genuine), ("two people", pairs.impostor))
    edges = np.linspace(-1.0, 1.0, SIMILARITY_BINS + 1)
    return HistogramFigure(
        name="similarities",
        title="Similarity",
        note="Cosines of all pairs of good images; those with an image without a vector are left out.",
        x=Axis(title="cosine", low=-1.0, high=1.0),
        groups=[Group(name=name, counts=_counts(scores[scores > -1.5], edges)) for name, scores in kinds],
        limits=[] if threshold is None else [Limit(title=f"threshold at the EER: {threshold:.3f}", x=threshold)],
    )


def _scores(cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[HistogramFigure]:
    """The quality scores of each kind of image."""
    by_kind: dict[str, list[float]] = {}
    for case, answer in zip(cases, answers, strict=True):
        if isinstance(case, FaceCase) and not case.is_pair and isinstance(answer.features, FaceFeatures):
            by_kind.setdefault(case.ood or "", []).append(answer.features.quality)
    if not by_kind:
        return
    sizes = Counter({kind: len(found) for kind, found in by_kind.items() if kind})
    shown = [kind for kind, _ in sizes.most_common(MOST_KINDS)]
    rows = [(GOOD, by_kind.get("", []))] + [(kind, by_kind[kind]) for kind in sorted(shown)]
    rest = [value for kind in sizes if kind not in shown for value in by_kind[kind]]
    rows += [(OTHERS, rest)] if rest else []
    edges = np.linspace(0.0, 1.0, SCORE_BINS + 1)
    yield HistogramFigure(
        name="scores",
        title="Quality score by kind of image",
        note="Good images should be on the right, the others on the left.",
        x=Axis(title="quality score"),
        groups=[Group(name=name, counts=_counts(np.array(found), edges)) for name, found in rows],
        limits=[Limit(title=f"{name} from {least:g}", x=least) for name, least in BANDS.items() if least],
    )


def _counts(values: npt.NDArray[np.floating], edges: npt.NDArray[np.float64]) -> list[int]:
    """How many values are in each bin; a cosine may be above 1 by a rounding."""
    return [int(count) for count in np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]]
