"""A case of a talking head: its face box lies in the frame."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from penstock.families.talking_head.case import TalkingHeadCase

CASE = {"name": "a", "inputs": {"image": "a.png"}}


@pytest.mark.parametrize("box", [None, (0, 0, 1, 1), (0.25, 0.25, 0.5, 0.75)])
def test_box_in_the_frame(box) -> None:
    assert TalkingHeadCase.model_validate(CASE | {"face_box": box}).face_box == box


@pytest.mark.parametrize("box", [(0.5, 0, 0.6, 1), (0, 0, 0, 1), (-0.1, 0, 1, 1), (0, 0.5, 1, 0.51), (0, 0, 1), "all"])
def test_box_that_is_none(box) -> None:
    with pytest.raises(ValidationError):
        TalkingHeadCase.model_validate(CASE | {"face_box": box})


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "does not say what is said"),
        ({"text": "Bob", "language": "de-AT"}, "English only, and the case's language is 'de-AT'"),
        ({"text": "A day in the sun."}, "no p, b or m"),
    ],
)
def test_where_lips_are_not_looked_at(said, why) -> None:
    assert why in TalkingHeadCase.model_validate(CASE | said).inapplicable["lip_closure"]


@pytest.mark.parametrize("language", [None, "en", "en-GB"])
def test_where_they_are(language) -> None:
    case = TalkingHeadCase.model_validate(CASE | {"text": " Bob. ", "language": language})
    assert case.text == "Bob."
    assert "lip_closure" not in case.inapplicable


@pytest.mark.parametrize("said", [{"text": "  "}, {"language": "English"}, {"text": "b" * 20_001}])
def test_texts_and_languages_that_are_none(said) -> None:
    with pytest.raises(ValidationError):
        TalkingHeadCase.model_validate(CASE | said)


def test_the_size_that_a_video_must_have() -> None:
    case = TalkingHeadCase.model_validate(CASE | {"size": [1920, 1080]})
    assert case.size == (1920, 1080)
    assert case.model_dump(mode="json")["size"] == [1920, 1080]


@pytest.mark.parametrize("size", [[1920], [1920, 1080, 3], [0, 1080], [1920.5, 1080], [True, 1080], "1920x1080"])
def test_sizes_that_are_none(size) -> None:
    with pytest.raises(ValidationError):
        TalkingHeadCase.model_validate(CASE | {"size": size})


@pytest.mark.parametrize(
    ("said", "asked"),
    [({}, False), ({"size": [192, 192]}, True), ({"parameters": {"min_resolution": 192}}, True)],
)
def test_where_no_size_is_asked_for_none_is_off(said, asked) -> None:
    assert ("size_error" not in TalkingHeadCase.model_validate(CASE | said).inapplicable) is asked


def test_a_suite_without_texts_keeps_its_digest() -> None:
    assert TalkingHeadCase.model_validate(CASE).model_dump(mode="json").keys() == {
        *("name", "inputs", "parameters", "slices", "face_box")
    }
