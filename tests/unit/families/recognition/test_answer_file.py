"""What a hostile service may answer: a reason for each, in bounded time."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.unit.families.recognition.recognition_cases import GOOD, answer_file

from penstock.families.recognition.answer_file import NotAnAnswerError, Unusable, read_answer

SIZE = (80, 60)


def changed(**fields: Any) -> dict[str, Any]:
    """The good answer with fields of its first object changed."""
    made = copy.deepcopy(GOOD)
    made["objects"][0] |= fields
    return made


def test_a_good_answer(tmp_path: Path) -> None:
    answer = read_answer(answer_file(tmp_path, GOOD), SIZE)
    assert not isinstance(answer.objects, Unusable)
    assert [(each.label, each.confidence, each.box) for each in answer.objects] == [
        ("Cup", 0.9, (10, 10, 20, 20)),
        ("书", 0.6, (40, 10, 15, 30)),
    ]
    assert (answer.description, answer.text) == ("A cup and a book.", "出口 Exit")


def test_texts_are_lines_and_boxes_need_not_be(tmp_path: Path) -> None:
    lines = [{"text": "出口", "box": [0, 0, 5, 5], "confidence": 0.9}, {"text": "Exit"}]
    content = {"objects": [{"label": "sign", "confidence": 1, "box": None}], "description": "", "text": lines}
    answer = read_answer(answer_file(tmp_path, content), SIZE)
    assert answer.text == "出口\nExit"
    assert not isinstance(answer.objects, Unusable)
    assert answer.objects[0].box is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b"<html>502</html>", "not JSON"),
        (b'{"objects": [{"label": "a", "confidence": NaN}]}', "NaN is not a JSON number"),
        (b'{"objects": [], "objects": []}', 'the name "objects" is twice'),
        (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested over 64 levels"),
        (b'{"objects": [' + b'{"label":"a","confidence":1},' * 400_000 + b"{}]}", "more than 1,000,000 values"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"objects": [{"label": "\\ud800", "confidence": 1}]}', "no Unicode"),
        (b"[]", "a list, not an object with 'objects'"),
        (b"null", "null, not an object with 'objects'"),
    ],
)
def test_what_is_no_answer(tmp_path: Path, content: bytes, reason: str) -> None:
    began = time.process_time()
    with pytest.raises(NotAnAnswerError, match=reason):
        read_answer(answer_file(tmp_path, content), SIZE)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"items": []}, "the answer has no 'objects'"),
        ({"objects": {}}, "'objects' is an object, not a list"),
        ({"objects": ["cat"]}, "objects[0] is text, not an object"),
        ({"objects": [{"confidence": 1}]}, "objects[0] has no 'label'"),
        ({"objects": [{"label": "cat"}]}, "objects[0] has no 'confidence'"),
        ({"objects": [{"label": "a", "confidence": 1}] * 10_001}, "10,001 objects, and 10,000 are the limit"),
        (changed(label=7), "objects[0].label is a number, not text"),
        (changed(label=" \u3000"), "objects[0].label is blank"),
        (changed(label="\u200b\u202e"), "objects[0].label is blank"),
        (changed(label="\ufe0f\u3164\U000e0041"), "objects[0].label is blank"),
        (changed(label="x" * 10**6), "objects[0].label is 1,000,000 characters long"),
        (changed(label="\ufdfa" * 190), "objects[0].label is 3,420 characters long once NFKC has taken them apart"),
        (changed(confidence=1.01), "objects[0].confidence is 1.01, not a number from 0 to 1"),
        (changed(confidence=-0.1), "objects[0].confidence is -0.1"),
        (changed(confidence=True), "objects[0].confidence is true"),
        (changed(confidence="0.9"), 'objects[0].confidence is "0.9"'),
        (changed(confidence=10**199), "objects[0].confidence is 1000"),
        (changed(box=[1, 2, 3]), "objects[0].box is [1, 2, 3], not [x, y, width, height]"),
        (changed(box={"x": 1}), "not [x, y, width, height]"),
        (changed(box=[1, 2, 3, "4"]), "not [x, y, width, height]"),
        (changed(box=[1, 2, -3, 4]), "its width and height must be above 0"),
        (changed(box=[10, 10, 0, 4]), "its width and height must be above 0"),
        (changed(box=[-5, 0, 10, 10]), "is not inside the picture, 80x60 pixels"),
        (changed(box=[70, 0, 20, 10]), "is not inside the picture"),
        (changed(box=[10, 20, 10, 41.5]), "is not inside the picture"),
        (changed(box=[1e300, 0, 1, 1]), "not [x, y, width, height]"),
    ],
)
def test_objects_that_cannot_be_used(tmp_path: Path, content: dict[str, Any], reason: str) -> None:
    found = read_answer(answer_file(tmp_path, content), SIZE).objects
    assert isinstance(found, Unusable)
    assert reason in found.reason
    assert len(found.reason) < 400


def test_a_box_may_stick_out_by_a_pixel(tmp_path: Path) -> None:
    content = changed(box=[-1, -0.5, 82, 61])
    assert not isinstance(read_answer(answer_file(tmp_path, content), SIZE).objects, Unusable)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "'text' is null, not text"),
        (7, "'text' is a number, not text"),
        ("x" * 100_001, "'text' has 100,001 characters, and 100,000 are the limit"),
        ([{"text": "x" * 60_000}] * 500, "'text' has over 100,000 characters in its first 2 entries"),
        ("\ufdfa" * 10_000, "'text' has 180,000 characters once NFKC has taken them apart, and 100,000 are the limit"),
        ("e" + "\u0315\u0300" * 16, "'text' has over 30 combining marks in a row"),
        ([{"text": "\u0f73" * 31}], "text[0].text has over 30 combining marks in a row"),
        ([{"words": "x"}], "text[0] is not an object with 'text'"),
        ([{"text": 1}], "text[0].text is a number, not text"),
        ([{"text": ""}] * 10_001, "'text' has 10,001 entries"),
    ],
)
def test_texts_that_cannot_be_used_leave_the_rest(tmp_path: Path, text: Any, reason: str) -> None:
    answer = read_answer(answer_file(tmp_path, json.loads(json.dumps(GOOD)) | {"text": text}), SIZE)
    assert isinstance(answer.text, Unusable)
    assert reason in answer.text.reason
    assert not isinstance(answer.objects, Unusable)


def test_a_description_that_is_not_there(tmp_path: Path) -> None:
    answer = read_answer(answer_file(tmp_path, {"objects": [], "description": ["a"]}), SIZE)
    assert answer.description == Unusable("'description' is a list, not text")
    assert answer.text == Unusable("the answer has no 'text'")


def test_a_long_run_of_marks_is_refused_at_once(tmp_path: Path) -> None:
    for marks in ("\u0315\u0300", "\u0f73", "\uff9e"):
        file = answer_file(tmp_path, GOOD | {"text": marks * (100_000 // len(marks))})
        began = time.process_time()
        assert isinstance(read_answer(file, SIZE).text, Unusable)
        assert time.process_time() - began < 2
