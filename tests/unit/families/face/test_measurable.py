"""What a suite of faces can have no value of, told before anything runs; the measurer must say the same."""

from __future__ import annotations

import pytest
from tests.unit.families.face.answers import compared, crowd, image, pair, seen

from penstock.families.face.case import FaceCase
from penstock.families.face.measurable import unmeasurable
from penstock.families.face.measurer import FaceMeasurer

FEW = "12 people make 66 impostor pairs of identities; 10 ÷ FAR = {} are needed"


def test_people_are_counted_not_images() -> None:
    cases, _ = crowd(people=12, images=9)
    assert unmeasurable("tar_1e-1", None, cases) == FEW.format("100")
    assert unmeasurable("tar_1e-4", None, cases) == FEW.format("100,000")
    assert unmeasurable("eer", None, cases) == ""
    enough, _ = crowd(people=15, images=2)
    assert unmeasurable("tar_1e-1", None, enough) == ""
    assert unmeasurable("tar_1e-1", "men", enough) == (
        "7 people make 21 impostor pairs of identities; 10 ÷ FAR = 100 are needed"
    )


@pytest.mark.parametrize(
    ("metric", "cases", "why"),
    [
        ("eer", [image("a", "ann")], "the suite has good images of 1 known people, and error rates need two"),
        ("eer", [image("a", "ann"), image("b", "ben")], "the suite has no two good images of one person"),
        ("tar_1e-3", [image("a")], "the suite has good images of 0 known people, and error rates need two"),
        ("pair_eer", [image("a")], "the suite has no pairs of good images"),
        ("pair_eer", [pair("a", True)], "the suite has no pairs of different people"),
        ("pair_eer", [pair("a", False)], "the suite has no pairs of the same person"),
        ("auroc", [pair("a", True)], "the suite has no single images"),
        ("fpr95", [image("a")], "the suite has no images out of distribution that are to be answered"),
        ("auroc", [image("a", ood="blur")], "the suite has no good images"),
        ("band_calibration", [pair("a", True)], "the suite has no single images"),
        ("repeatable", [], ""),
        ("latency", [], ""),
    ],
)
def test_what_is_missing(metric: str, cases: list[FaceCase], why: str) -> None:
    assert unmeasurable(metric, None, cases) == why


def test_the_measurer_says_the_same() -> None:
    cases, answers = crowd(people=6, images=2)
    cases += [image("x", ood="blur"), pair("p", True)]
    answers += [seen([1.0] * 16, 0.2), compared(0.5)]
    lines = {line.metric: line for line in FaceMeasurer({}, None).suite(cases, answers) if line.case == "*"}
    for metric, line in lines.items():
        told = unmeasurable(metric, None, cases)
        if metric != "repeatable":  # which images are the same, their bytes say
            assert bool(told) == (line.value is None), metric
            assert line.value is not None or told.endswith(line.error or "-")
    by_slice = FaceMeasurer({}, None).slice_suite("men", cases, answers)
    for line in by_slice:
        assert bool(unmeasurable(line.metric, "men", cases)) == (line.value is None), line.metric
