"""The curves of a suite of faces say what its metrics say, and stay small."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.families.face.answers import crowd, image, seen

from penstock.bundle.figures_record import CurveFigure, Figure, Figures, HistogramFigure
from penstock.families.face.figures import GOOD, MOST_KINDS, OTHERS, error_rates, figures
from penstock.families.face.people_values import people_values
from penstock.metrics.verification import PairScores


def drawn(cases, answers, released=None) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures(cases, answers, released)}


def values(cases, answers) -> dict[str, float]:
    return {line.metric: line.value or 0.0 for line in people_values(cases, answers) if line.case == "*"}


@pytest.mark.slow
def test_all_there_is() -> None:
    cases, answers = crowd(people=12, images=3, noise=1.0)
    names = ["det", "discard", "similarities", "images-one", "images-two", "people", "scores"]
    assert list(drawn(cases, answers)) == names
    assert list(drawn(cases, answers, answers)) == [*names[:6], "gallery", names[6]]
    assert len(Figures(figures=list(drawn(cases, answers, answers).values())).model_dump_json()) < 60_000


@pytest.mark.slow
def test_the_points_are_the_metrics() -> None:
    cases, answers = crowd(people=20, images=3, noise=1.2)
    det = drawn(cases, answers)["det"]
    said = values(cases, answers)
    assert isinstance(det, CurveFigure)
    assert {mark.metric: (mark.x, mark.y) for mark in det.marks} == {
        "eer": (said["eer"], said["eer"]),
        "tar_1e-1": (0.1, pytest.approx(1 - said["tar_1e-1"])),
    }, "190 pairs of people are too few for the others"
    # at most a tenth accepted: the line holds that value where the mark stands
    held = [y for x, y in det.points if x <= 0.1][-1]
    assert held == pytest.approx(1 - said["tar_1e-1"])
    xs, ys = zip(*det.points, strict=True)
    assert list(xs) == sorted(xs)
    assert list(ys) == sorted(ys, reverse=True)
    assert (det.points[0], det.points[-1]) == ((0.0, 1.0), (1.0, 0.0))


@pytest.mark.slow
def test_the_area_of_the_discard_curve_is_the_metric() -> None:
    cases, answers = crowd(people=12, images=3, noise=1.5)
    random = np.random.default_rng(2)
    answers = [seen(answer.features.vector, quality=float(random.random())) for answer in answers]
    curve = drawn(cases, answers)["discard"]
    assert isinstance(curve, CurveFigure)
    *points, (end, _) = curve.points
    shares, errors = np.array(points).T
    assert float(errors @ np.diff(shares, append=end)) == pytest.approx(values(cases, answers)["discard"])
    assert values(cases, answers)["discard"] > 0


def test_many_pairs_are_few_points() -> None:
    random = np.random.default_rng(1)
    scores = PairScores(np.sort(random.normal(1, 1, 20_000))[::-1], np.sort(random.normal(-1, 1, 90_000))[::-1])
    assert len(error_rates(scores, 200).points) <= 202


def test_scores_by_kind() -> None:
    cases, answers = crowd(people=3, images=2)
    for kind, quality in (("blur", 0.1), ("blur", 1.0), ("mask", 0.45)):
        cases.append(image(f"{kind}-{quality}", ood=kind))
        answers.append(seen([1.0, 0.0], quality))
    cases.append(image("lost", ood="mask"))
    answers.append(seen(None))
    scores = drawn(cases, answers)["scores"]
    assert isinstance(scores, HistogramFigure)
    counts = {group.name: np.flatnonzero(group.counts).tolist() for group in scores.groups}
    assert counts == {GOOD: [18], "blur": [2, 19], "mask": [9]}
    assert [sum(group.counts) for group in scores.groups] == [6, 2, 1]
    assert [(limit.title, limit.x) for limit in scores.limits] == [
        ("pass from 0.8", 0.8),
        ("mark from 0.6", 0.6),
        ("retry from 0.4", 0.4),
    ]


def test_many_kinds_are_one_row() -> None:
    cases = [image(f"{kind}-{n}", ood=f"kind-{kind:02}") for kind in range(20) for n in range(2 if kind < 12 else 1)]
    scores = drawn(cases, [seen([1.0, 0.0])] * len(cases))["scores"]
    assert isinstance(scores, HistogramFigure)
    assert [group.name for group in scores.groups] == [GOOD, *(f"kind-{kind:02}" for kind in range(MOST_KINDS)), OTHERS]
    assert sum(scores.groups[-1].counts) == 8


def test_similarities_leave_out_what_has_none() -> None:
    cases, answers = crowd(people=4, images=2)
    answers[0] = seen(None)
    found = drawn(cases, answers)["similarities"]
    assert isinstance(found, HistogramFigure)
    assert [(group.name, sum(group.counts)) for group in found.groups] == [("one person", 3), ("two people", 18)]


def test_a_suite_without_people_has_their_scores_alone() -> None:
    assert list(drawn([image("a"), image("b", ood="blur")], [seen([1.0]), seen([1.0])])) == ["scores"]
    assert drawn([], []) == {}
    assert drawn([image("a")], [seen(None)]) == {}


def test_vectors_of_several_lengths_are_no_pairs() -> None:
    cases, answers = crowd(people=3, images=2)
    answers[0] = seen([1.0, 0.0])
    assert list(drawn(cases, answers)) == ["scores"]
    cases.append(image("odd", "p00", ood="blur"))
    answers = crowd(people=3, images=2)[1] + [seen([1.0, 0.0])]
    assert "discard" not in drawn(cases, answers)
    assert "det" in drawn(cases, answers)
