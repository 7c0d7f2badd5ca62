"""What a case may say, and what is not measured of one that does not say it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.families.recognition.recognition_cases import case

from penstock.families.recognition.case import LABEL_METRICS, NO_LABELS, NOTHING_THERE


def test_labels_are_those_of_the_objects_where_none_are_said() -> None:
    objects = [{"label": "cat"}, {"label": "cup"}, {"label": "cat"}]
    assert case(objects=objects).true_labels == ["cat", "cup"]
    assert case(objects=objects, labels=["Cat", "cup", "tree"]).true_labels == ["Cat", "cup", "tree"]
    assert case(text="").true_labels is None


def test_what_a_case_does_not_say_does_not_apply() -> None:
    only_text = case(text="出口")
    assert only_text.inapplicable == {
        **dict.fromkeys(LABEL_METRICS, NO_LABELS),
        "phrases": "the case says nothing of the description",
    }
    assert set(case(labels=["cat"]).inapplicable) == {"phrases", "cer"}
    empty = case(labels=[]).inapplicable
    assert {name for name, why in empty.items() if why == NOTHING_THERE} == {"label_recall", "top1"}


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "say what is true"),
        ({"labels": ["  "]}, "must hold a letter"),
        ({"objects": [{"label": "cat", "box": [0, 0, 0, 5]}]}, "width and height are above 0"),
        ({"objects": [{"label": "cat", "box": [-1, 0, 3, 5]}]}, "a box is x, y, width, height"),
        ({"objects": [{"label": "cat", "box": [0, 0, 3, 5]}, {"label": "cup"}]}, "either all 'objects' have a box"),
        ({"labels": ["cup"], "objects": [{"label": "cat"}]}, "the object 'cat' is not among 'labels'"),
        ({"description": {}}, "name at least one phrase"),
        ({"description": {"required": ["cat"], "wanted": []}}, "Extra inputs"),
        ({"labels": ["cat"], "language": "chinese (simplified)"}, "pattern"),
        ({"labels": ["cat"] * 1001}, "at most 1000"),
    ],
)
def test_what_cannot_be(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault.replace("(", "\\(")):
        case(**fields)


def test_a_case_that_must_be_refused_says_nothing_else() -> None:
    assert case(expect={"status": 422}).true_labels is None


def test_the_table_of_synonyms_is_withheld() -> None:
    assert case(labels=["cat"], synonyms="names.yaml").files == ["a.png", "names.yaml"]
