"""The curves of a recognition suite say what its metrics say."""

from __future__ import annotations

import pytest
from tests.unit.families.recognition.recognition_cases import case

from penstock.bundle.figures_record import CurveFigure, HistogramFigure
from penstock.evaluation.measurer import Answer
from penstock.families.recognition.features import CaseFeatures
from penstock.families.recognition.figures import figures
from penstock.families.recognition.suite_values import suite_values

RIGHT = CaseFeatures(None, confidence=(0.9, 0.85), correct=(True, False), surest=(0.9, 0.0))
WRONG = CaseFeatures(None, confidence=(0.35,), correct=(False,), surest=(0.35, 1.0))
SURE = CaseFeatures(None, confidence=(0.98,), correct=(True,), surest=(0.98, 0.0))


def drawn(*features: CaseFeatures | None, labels: list[str] | None = None):
    cases = [case(labels=["cup"] if labels is None else labels) for _ in features]
    return {found.name: found for found in figures(cases, [Answer(features=each) for each in features], None)}


def test_the_curves_are_the_metrics() -> None:
    features = [RIGHT, WRONG, SURE, None]
    found = drawn(*features)
    assert list(found) == ["reliability", "confidence", "risk-coverage"]
    said = {line.metric: line.value for line in suite_values(["a", "b", "c"], features[:3])}
    diagram, risk, confidence = found["reliability"], found["risk-coverage"], found["confidence"]
    assert isinstance(diagram, CurveFigure)
    assert isinstance(risk, CurveFigure)
    assert isinstance(confidence, HistogramFigure)
    gaps = [abs(x - y) * n for (x, y), n in zip(diagram.points, diagram.weights, strict=True)]
    assert sum(gaps) / sum(diagram.weights) == pytest.approx(said["ece"])
    assert diagram.diagonal
    assert risk.points == [(0.0, 0.0), (1 / 3, 0.0), (2 / 3, 0.0), (1.0, pytest.approx(1 / 3))]
    assert [sum(group.counts) for group in confidence.groups] == [2, 2]


def test_a_suite_that_names_no_labels_draws_nothing() -> None:
    silent = [case(text="Exit")]
    assert list(figures(silent, [Answer(features=CaseFeatures(None))], None)) == []
    assert drawn(None) == {}
    nothing_there = CaseFeatures(None, confidence=(0.5,), correct=(False,))
    assert list(drawn(nothing_there, labels=[])) == ["reliability", "confidence"]


def test_many_pictures_are_few_points() -> None:
    many = [CaseFeatures(None, confidence=(n / 1000,), correct=(True,), surest=(n / 1000, 0.0)) for n in range(1000)]
    risk = drawn(*many)["risk-coverage"]
    assert isinstance(risk, CurveFigure)
    assert len(risk.points) <= 201
