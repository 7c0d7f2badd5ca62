"""What is shown of a case: right and wrong is marked in its own script, and what cannot be drawn is a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.families.recognition.recognition_cases import GOOD, answer_file, case, picture, table

from penstock.families.recognition import paint_case as module
from penstock.families.recognition.paint_case import paint_case
from penstock.media.images import ImageLimits
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import MAX_BOXES, Marks


def files(folder: Path, size: tuple[int, int] = (320, 240), **fields: Any) -> CaseFiles:
    said = {"objects": [{"label": "cup", "box": [16, 12, 32, 24]}]} | fields
    return CaseFiles({"image": picture(folder, size)}, {"synonyms": (table(folder),)}, {}, case(**said))


def marks(value: object) -> Marks:
    assert isinstance(value, Marks), value
    return value


def found(known: CaseFiles, answer: Path) -> Marks:
    return marks(paint_case(known, {"candidate": answer}).answers["candidate"]["found"])


def boxes(shown: Marks) -> list[tuple[str, str]]:
    return [(box.text, box.kind) for box in shown.boxes]


def words(shown: Marks) -> list[tuple[str, str]]:
    return [(word.text, word.kind) for word in shown.words]


def test_wrong_labels_are_marked_and_the_surest_is_the_place(tmp_path: Path) -> None:
    painted = paint_case(files(tmp_path, labels=["cup"]), {"candidate": answer_file(tmp_path, GOOD)})
    truth, shown = marks(painted.of_case["truth"]), marks(painted.answers["candidate"]["found"])
    assert boxes(truth) == [("cup", "right")]
    (box,) = truth.boxes
    assert (box.x, box.y, box.width, box.height) == (0.05, 0.05, pytest.approx(0.1), pytest.approx(0.1))
    assert words(truth) == [("cup", "right")]
    assert boxes(shown) == [("Cup 0.90", "right"), ("书 0.60", "wrong")]
    assert words(shown) == [("cup 0.90", "right"), ("book 0.60", "wrong"), ("text: 出口 Exit", "plain")]
    assert painted.places["candidate"] == (pytest.approx(47.5 / 320), pytest.approx(25 / 240))


def test_what_was_missed_is_named_and_nothing_wrong_is_no_place(tmp_path: Path) -> None:
    one = GOOD | {"objects": GOOD["objects"][:1]}
    truth = [{"label": "cup"}, {"label": "树"}]
    painted = paint_case(files(tmp_path, objects=truth), {"candidate": answer_file(tmp_path, one)})
    shown = marks(painted.answers["candidate"]["found"])
    assert words(shown)[:2] == [("cup 0.90", "right"), ("missed: 树", "missed")]
    assert painted.places == {}


def test_a_synonym_is_right(tmp_path: Path) -> None:
    known = files(tmp_path, objects=[{"label": "cup"}, {"label": "book"}])
    assert [kind for _, kind in boxes(found(known, answer_file(tmp_path, GOOD)))] == ["right", "right"]


def test_without_labels_nothing_is_wrong(tmp_path: Path) -> None:
    shown = found(files(tmp_path, objects=None, description={"required": ["cup"]}), answer_file(tmp_path, GOOD))
    assert {kind for _, kind in boxes(shown)} == {"plain"}
    assert words(shown)[-1] == ("description: A cup and a book.", "plain")


@pytest.mark.parametrize(
    ("truth", "read", "said"),
    [
        ("出口 Exit", "出口\nExit", ("text: 出口 Exit", "right")),
        ("出口", "出日", ("text: 出日", "wrong")),
        ("出口", "", ("no text", "wrong")),
        ("", "", ("no text", "right")),
        ("出口", 5, ("'text' is a number, not text", "wrong")),
        ("出" * 3000, "出" * 3000, ("text: " + "出" * 3000, "plain")),
    ],
)
def test_what_was_read(tmp_path: Path, truth: str, read: Any, said: tuple[str, str]) -> None:
    shown = found(files(tmp_path, objects=None, text=truth), answer_file(tmp_path, GOOD | {"text": read}))
    assert words(shown)[-1] == said


def test_lines_of_text_that_say_where_they_are(tmp_path: Path) -> None:
    lines: list[Any] = [
        {"text": "出口", "box": [0, 0, 160, 120]},
        {"text": "nowhere"},
        {"text": "beyond", "box": [300, 0, 100, 10]},
        {"text": "odd", "box": "here"},
    ]
    shown = found(files(tmp_path), answer_file(tmp_path, GOOD | {"objects": [], "text": lines}))
    assert boxes(shown) == [("出口", "plain")]
    assert (shown.boxes[0].width, shown.boxes[0].height) == (0.5, 0.5)
    assert ("text: 出口 nowhere beyond odd", "plain") in words(shown)


def test_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = answer_file(tmp_path, b"<html>")
    assert "not JSON" in str(paint_case(files(tmp_path), {"candidate": broken}).answers["candidate"]["found"])
    bad = answer_file(tmp_path, {"objects": 3, "text": "Exit"})
    shown = found(files(tmp_path, text="Exit"), bad)
    assert words(shown) == [
        ("'objects' is a number, not a list", "wrong"),
        ("missed: cup", "missed"),
        ("text: Exit", "right"),
    ]
    gone = paint_case(None, {"candidate": bad})
    assert gone.of_case["photo"] == gone.answers["candidate"]["found"] == "the suite's files are not at hand"
    monkeypatch.setattr(module, "LIMITS", ImageLimits(pixels=100))
    large = paint_case(files(tmp_path), {"candidate": bad})
    assert "pixels" in str(large.of_case["photo"])


def test_of_many_objects_the_surest_are_drawn(tmp_path: Path) -> None:
    many = [{"label": f"thing {n}", "confidence": n / 1000, "box": [0, 0, 9, 9]} for n in range(1000)]
    shown = found(files(tmp_path), answer_file(tmp_path, {"objects": many}))
    assert len(shown.boxes) == MAX_BOXES
    assert shown.boxes[0].text == "thing 999 1.00"


def test_a_box_beyond_the_edge_by_a_rounding_stays_inside(tmp_path: Path) -> None:
    one = {"objects": [{"label": "cup", "confidence": 0.5, "box": [-0.6, 0, 321.2, 240.5]}]}
    (box,) = found(files(tmp_path), answer_file(tmp_path, one)).boxes
    assert (box.x, box.y, box.width, box.height) == (0.0, 0.0, 1.0, 1.0)
