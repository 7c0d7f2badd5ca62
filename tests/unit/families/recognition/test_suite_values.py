"""The values of a whole suite: by hand, with resamples, and the reason where there are none."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from penstock.families.recognition.features import CaseFeatures
from penstock.families.recognition.suite_values import suite_values
from penstock.metrics.detection import PictureBoxes

BOX = np.array([[0.0, 0, 10, 10]])
FOUND = PictureBoxes(("cat",), BOX, np.array([0.9]), ("cat",), BOX)
HALF = PictureBoxes(("cat",), BOX + np.array([2.0, 0, 0, 0]), np.array([0.8]), ("cat",), BOX)  # IoU 2/3
RIGHT = CaseFeatures({}, confidence=(0.9,), correct=(True,), surest=(0.9, 0.0), boxes=FOUND)
WRONG = CaseFeatures({}, confidence=(0.8, 0.3), correct=(False, True), surest=(0.8, 1.0), boxes=HALF)
SILENT = CaseFeatures({})


def lines(*features: CaseFeatures | None):
    names = [f"case-{number}" for number in range(len(features))]
    return {line.metric: line for line in suite_values(names, list(features))}


def test_by_hand() -> None:
    found = lines(RIGHT, WRONG, SILENT)
    assert {name: line.case for name, line in found.items()} == dict.fromkeys(("map", "map50", "ece", "aurc"), "*")
    assert found["map50"].value == pytest.approx(1.0)
    # up to 0.65 both count; beyond, the first of two: 51 of 101 recalls
    assert found["map"].value == pytest.approx((4 + 6 * 51 / 101) / 10)
    assert found["ece"].value == pytest.approx((0.1 + 0.8 + 0.7) / 3)
    assert found["aurc"].value == pytest.approx((0 + 1 / 2) / 2)


def test_resamples_are_of_the_cases_that_say_so_and_the_same_for_both_sides() -> None:
    ours, theirs = lines(RIGHT, WRONG, SILENT), lines(WRONG, WRONG, SILENT)
    for name in ("map", "map50", "aurc"):
        mine, other = ours[name].resamples, theirs[name].resamples
        assert mine is not None
        assert other is not None
        assert mine.key == other.key
        assert (mine.cases, len(mine.values)) == (2, 1000)
    assert ours["aurc"].resamples is not None
    assert set(ours["aurc"].resamples.values) == {0.0, 0.25, 1.0}  # twice the first, each, twice the second


def test_a_resample_without_a_prediction_leaves_none() -> None:
    empty = CaseFeatures({}, confidence=())
    assert lines(RIGHT, empty, empty)["ece"].resamples is None  # some draw the empty ones alone
    assert lines(RIGHT, RIGHT, SILENT)["ece"].resamples is not None
    assert lines(RIGHT)["map"].resamples is None  # one case says nothing of the others


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (None, "case 'case-1': it has no answer that can be measured"),
        (CaseFeatures({}, fault="objects[0] has no 'label'"), "case 'case-1': objects[0] has no 'label'"),
    ],
)
def test_a_case_without_an_answer_leaves_no_value(broken: CaseFeatures | None, reason: str) -> None:
    found = lines(RIGHT, broken)
    assert len(found) == 4
    assert {(line.value, line.error) for line in found.values()} == {(None, reason)}


def test_an_answer_without_boxes_leaves_no_map() -> None:
    found = lines(RIGHT, CaseFeatures({}, surest=(0.5, 0.0), boxes="objects[0] has no 'box'"))
    assert found["map"].error == found["map50"].error == "case 'case-1': objects[0] has no 'box'"
    assert found["aurc"].value == 0.0


def test_what_no_case_says_does_not_apply() -> None:
    found = lines(SILENT)
    assert {name for name, line in found.items() if not line.applies} == {"map", "map50", "aurc", "ece"}


def test_a_model_that_finds_nothing_has_no_calibration() -> None:
    nothing = CaseFeatures({}, confidence=(), surest=(0.0, 1.0))
    assert lines(nothing)["ece"].error == "no label was found in any case that names some"
    assert lines(nothing)["aurc"].value == 1.0


def test_the_calibration_of_many_labels_takes_little_memory() -> None:
    many = CaseFeatures({}, confidence=(0.5,) * 10_000, correct=(True,) * 10_000)
    tracemalloc.start()
    try:
        assert lines(many, many)["ece"].value == pytest.approx(0.5)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()
