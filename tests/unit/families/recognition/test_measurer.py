"""What is measured of an answer: by hand, and the reason where there is nothing to measure."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
from tests.unit.families.recognition.recognition_cases import GOOD, answer_file, case, picture, table

from penstock.bundle.models import Invocation
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer
from penstock.families.recognition.answer_file import FoundObject, surest_by_label
from penstock.families.recognition.case import LABEL_METRICS
from penstock.families.recognition.measurer import BY_CASE, RecognitionMeasurer
from penstock.families.recognition.synonyms import Synonyms

CALL = Invocation(case="a", status="ok", output="outputs/a/output.json")


def measured(folder: Path, content: Any = GOOD, *, synonyms: bool = False, **fields: Any) -> Answer:
    files = {"synonyms": (table(folder),)} if synonyms else {}
    outputs, inputs = {"": answer_file(folder, content)}, {"image": picture(folder)}
    return RecognitionMeasurer({}, None).case(case(**fields), CALL, outputs, inputs, {}, files)


def test_every_metric_has_a_value(tmp_path: Path) -> None:
    answer = measured(
        tmp_path,
        labels=["cup", "书"],
        description={"required": ["cup"]},
        text="出口 Exit",
        language="zh",
        synonyms=True,
    )
    assert set(answer.values) == set(BY_CASE)
    assert answer.values == {
        **dict.fromkeys(("label_f1", "label_precision", "label_recall", "top1", "phrases"), 1.0),
        "cer": 0.0,
        "brier": pytest.approx((0.1**2 + 0.4**2) / 2),
    }
    assert answer.why == {}
    assert pickle.loads(pickle.dumps(answer.features)) == answer.features  # noqa: S301


def test_labels_by_hand_and_what_is_wrong_is_named(tmp_path: Path) -> None:
    answer = measured(tmp_path, labels=["cup", "cat", "tree"])
    assert answer.values["label_precision"] == pytest.approx(1 / 2)
    assert answer.values["label_recall"] == pytest.approx(1 / 3)
    assert answer.values["label_f1"] == pytest.approx(2 / 5)
    assert answer.values["top1"] == 1.0
    # cup right at 0.9, 书 wrong at 0.6, two missed
    assert answer.values["brier"] == pytest.approx((0.01 + 0.36 + 1 + 1) / 4)
    assert answer.why["label_f1"] == "missed: cat, tree; not there: 书"
    assert (answer.features.confidence, answer.features.correct) == ((0.9, 0.6), (True, False))
    assert answer.features.surest == (0.9, 0.0)


def test_a_synonym_counts_as_its_label_in_its_language(tmp_path: Path) -> None:
    there = measured(tmp_path, labels=["book", "cup"], language="zh", synonyms=True)
    assert there.values["label_f1"] == 1.0
    elsewhere = measured(tmp_path, labels=["book", "mug"], language="en", synonyms=True)
    assert elsewhere.why["label_f1"] == "missed: book; not there: 书"
    assert measured(tmp_path, labels=["book"]).values["label_recall"] == 0.0


def test_nothing_found_where_something_is(tmp_path: Path) -> None:
    answer = measured(tmp_path, GOOD | {"objects": []}, labels=["cup"])
    assert {answer.values[name] for name in ("label_precision", "label_recall", "label_f1", "top1")} == {0.0}
    assert answer.values["brier"] == 1.0
    assert answer.features.surest == (0.0, 1.0)


def test_nothing_is_to_be_found(tmp_path: Path) -> None:
    empty = measured(tmp_path, GOOD | {"objects": []}, labels=[])
    assert (empty.values["label_f1"], empty.values["label_precision"], empty.values["brier"]) == (1.0, 1.0, 0.0)
    ghosts = measured(tmp_path, labels=[])
    assert (ghosts.values["label_f1"], ghosts.values["label_precision"]) == (0.0, 0.0)
    assert ghosts.features.surest is None


def test_a_label_is_as_sure_as_its_surest_object() -> None:
    objects = [FoundObject(label, sure, None) for label, sure in (("Cat", 0.4), ("dog", 0.7), ("cat", 0.9))]
    assert list(surest_by_label(objects, Synonyms()).items()) == [("cat", 0.9), ("dog", 0.7)]


@pytest.mark.parametrize(
    ("required", "forbidden", "value", "remark"),
    [
        (["cup", "book"], [], 1.0, None),
        (["cup", "tree"], [], 0.5, "missing: tree"),
        ([], ["dog"], 1.0, None),
        (["CUP"], ["a book", "tree"], 0.0, "forbidden: a book"),
    ],
)
def test_descriptions(tmp_path: Path, required: list[str], forbidden: list[str], value: float, remark: str) -> None:
    answer = measured(tmp_path, description={"required": required, "forbidden": forbidden})
    assert answer.values == {"phrases": value}
    assert answer.why.get("phrases") == remark


@pytest.mark.slow
def test_what_was_read_stands_beside_its_error_rate(tmp_path: Path) -> None:
    answer = measured(tmp_path, text="入口  Exit")
    assert answer.values == {"cer": pytest.approx(1 / 6)}
    assert answer.why == {"cer": "read '出口Exit' where '入口Exit' is"}
    long = measured(tmp_path, GOOD | {"text": "x" * 100_000}, text="y" * 10_000)
    assert len(long.why["cer"]) < 150


def test_a_fault_of_one_part_leaves_the_others(tmp_path: Path) -> None:
    content = {"objects": [{"label": "cup", "confidence": 2}], "text": "出口 Exit"}
    answer = measured(tmp_path, content, labels=["cup"], text="出口 Exit", description={"required": ["cup"]})
    assert {answer.values[name] for name in LABEL_METRICS} == {"objects[0].confidence is 2, not a number from 0 to 1"}
    assert answer.values["cer"] == 0.0
    assert answer.values["phrases"] == "the answer has no 'description'"
    assert answer.features.fault == answer.values["top1"]


def test_what_is_no_answer_has_the_reason_everywhere(tmp_path: Path) -> None:
    answer = measured(tmp_path, b"<html>", labels=["cup"])
    assert set(answer.values) == set(BY_CASE)
    assert all("the answer is not JSON" in str(value) for value in answer.values.values())
    assert answer.features is None


def test_boxes_are_kept_where_the_case_has_some(tmp_path: Path) -> None:
    objects = [{"label": "cup", "box": [10, 10, 20, 20]}]
    boxes = measured(tmp_path, objects=objects).features.boxes
    assert boxes.labels == ("cup", "书")
    assert boxes.true_boxes.tolist() == [[10, 10, 20, 20]]
    without = {"objects": [{"label": "cup", "confidence": 0.5}]}
    assert measured(tmp_path, without, objects=objects).features.boxes == "objects[0] has no 'box'"
    assert measured(tmp_path, objects=[{"label": "cup"}]).features.boxes is None


def test_a_case_of_several_calls_or_of_another_family() -> None:
    measurer = RecognitionMeasurer({}, None)
    answer = measurer.case(case(labels=[]), CALL, {"x": Path("x"), "y": Path("y")}, {}, {}, {})
    assert "several calls" in str(answer.values["label_f1"])
    with pytest.raises(TypeError, match="not a case of recognition"):
        measurer.case(Case(name="a", inputs={}), CALL, {}, {}, {}, {})


def test_released_answers_tell_what_broke(tmp_path: Path) -> None:
    measurer = RecognitionMeasurer({}, None)
    before = measured(tmp_path, labels=["cup"])
    now = measured(tmp_path, {"items": GOOD["objects"], "description": "", "text": ["a"]}, labels=["cup"])
    assert measurer.compare(case(labels=[]), now, before) == {}
    (line,) = measurer.compare_suite([case(labels=[])], [now], [before])
    assert (line.metric, line.case, line.value) == ("schema_breaks", "*", 3.0)
    assert line.error == "$.latency_ms is gone; $.objects is gone; $.text is now a list, where it was text"
    (same,) = measurer.compare_suite([case(labels=[])], [before], [before])
    assert (same.value, same.error) == (0.0, None)


def test_a_case_that_names_no_labels_stops_no_value_of_the_suite(tmp_path: Path) -> None:
    cases = [case(labels=["cup"]), case(text="x").model_copy(update={"name": "b"})]
    answers = [measured(tmp_path, labels=["cup"]), Answer({"cer": "it failed"})]
    found = {line.metric: line for line in RecognitionMeasurer({}, None).suite(cases, answers)}
    assert found["ece"].value == pytest.approx((0.1 + 0.6) / 2)
    assert not found["map"].applies
    broken = {line.metric: line for line in RecognitionMeasurer({}, None).suite(cases, answers[::-1])}
    assert broken["ece"].error == "case 'a': it has no answer that can be measured"
