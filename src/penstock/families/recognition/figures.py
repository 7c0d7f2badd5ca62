"""What the report draws of a recognition suite as a whole: is it as sure as it is right, and does refusing help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from penstock.bundle.figures_record import Axis, CurveFigure, Figure, Group, HistogramFigure
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer
from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.features import CaseFeatures
from penstock.metrics.calibration import reliability, risk_coverage

POINTS = 200
SURE_BINS = 20


def figures(cases: Sequence[Case], answers: Sequence[Answer], released: Sequence[Answer] | None) -> Iterator[Figure]:  # noqa: ARG001
    """All that there is to draw, of what the suite has.

    Args:
        cases: of the suite.
        answers: of the candidate, one a case.
        released: of the released model; its own bundle has its curves.
    """
    known = [
        answer.features
        for case, answer in zip(cases, answers, strict=True)
        if isinstance(case, RecognitionCase) and case.true_labels is not None
        if isinstance(answer.features, CaseFeatures)
    ]
    yield from _labels(known)
    yield from _refusals([found.surest for found in known if found.surest is not None])


def _labels(known: Sequence[CaseFeatures]) -> Iterator[Figure]:
    """Of all labels that were found: how sure, and whether right."""
    found = [pair for each in known for pair in zip(each.confidence or (), each.correct, strict=False)]
    if not found:
        return
    confidence, correct = np.array([sure for sure, _ in found]), np.array([right for _, right in found])
    bins = reliability(confidence, correct)
    yield CurveFigure(
        name="reliability",
        title="Reliability",
        note=f"{len(found):,} labels that were found, in bins by confidence; a larger dot stands for more of them. "
        "Below the dashed line it is surer than it is right.",
        x=Axis(title="confidence"),
        y=Axis(title="share that is right"),
        points=list(zip(bins.confidence.tolist(), bins.correct.tolist(), strict=True)),
        weights=bins.count.tolist(),
        diagonal=True,
    )
    edges = np.linspace(0.0, 1.0, SURE_BINS + 1)
    yield HistogramFigure(
        name="confidence",
        title="Confidence of right and of wrong labels",
        x=Axis(title="confidence"),
        groups=[
            Group(name=name, counts=np.histogram(confidence[which], edges)[0].tolist())
            for name, which in (("right", correct), ("wrong", ~correct))
        ],
    )


def _refusals(surest: Sequence[tuple[float, float]]) -> Iterator[CurveFigure]:
    if not surest:
        return
    confidence, loss = np.array(surest).T
    curve = risk_coverage(confidence, loss)
    if len(curve.coverage) > POINTS:
        curve = curve.thinned(POINTS)
    yield CurveFigure(
        name="risk-coverage",
        title="Risk over coverage",
        note="Of the pictures of which the surest are answered, the share whose surest label is wrong; it should rise "
        "to the right.",
        x=Axis(title="coverage: share of the pictures that are answered"),
        y=Axis(title="wrong", fit=True),
        points=[(0.0, float(curve.risk[0])), *zip(curve.coverage.tolist(), curve.risk.tolist(), strict=True)],
    )
