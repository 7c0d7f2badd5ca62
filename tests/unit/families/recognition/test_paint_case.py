"""The pictures of a case: what is right and wrong is marked, and what cannot be drawn is a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.unit.families.recognition.recognition_cases import GOOD, answer_file, case, picture, table

from penstock.families.recognition import paint_case as module
from penstock.families.recognition.paint_case import MISSED, RIGHT, WRONG, paint_case
from penstock.media.images import ImageLimits
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import Picture


def files(folder: Path, size: tuple[int, int] = (320, 240), **fields: Any) -> CaseFiles:
    said = {"objects": [{"label": "cup", "box": [10, 10, 20, 20]}]} | fields
    return CaseFiles({"image": picture(folder, size)}, {"synonyms": (table(folder),)}, {}, case(**said))


def drawn(value: Picture | str) -> Picture:
    assert not isinstance(value, str), value
    return value


def has(value: Picture | str, colour: tuple[int, int, int]) -> bool:
    """Or nearly: thin letters are smoothed."""
    return bool((np.abs(drawn(value).astype(int) - colour).max(axis=2) < 40).any())


def test_wrong_labels_are_red_and_the_surest_is_the_place(tmp_path: Path) -> None:
    painted = paint_case(files(tmp_path, labels=["cup"]), {"candidate": answer_file(tmp_path, GOOD)})
    found = painted.answers["candidate"]["found"]
    assert has(painted.of_case["truth"], RIGHT)
    assert not has(painted.of_case["truth"], WRONG)
    assert has(found, RIGHT)
    assert has(found, WRONG)
    assert not has(found, MISSED)
    height, width = drawn(found).shape[:2]
    assert drawn(painted.of_case["truth"]).shape == drawn(found).shape
    x, y = painted.places["candidate"]
    scale = width / 320
    assert (x * width, y * height) == pytest.approx(((40 + 7.5) * scale, (10 + 15) * scale), abs=1)


def test_what_was_missed_is_named_and_nothing_wrong_is_no_place(tmp_path: Path) -> None:
    one = GOOD | {"objects": GOOD["objects"][:1]}
    truth = [{"label": "cup"}, {"label": "tree"}]
    painted = paint_case(files(tmp_path, objects=truth), {"candidate": answer_file(tmp_path, one)})
    assert has(painted.answers["candidate"]["found"], MISSED)
    assert not has(painted.answers["candidate"]["found"], WRONG)
    assert painted.places == {}


def test_a_synonym_is_right(tmp_path: Path) -> None:
    truth = [{"label": "cup"}, {"label": "book"}]
    painted = paint_case(files(tmp_path, objects=truth), {"baseline": answer_file(tmp_path, GOOD)})
    assert not has(painted.answers["baseline"]["found"], WRONG)


def test_names_that_opencv_has_no_letters_for_are_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(module, "_write", lambda canvas, text, corner, colour: written.append(text))
    known = files(tmp_path, language="en")
    paint_case(known, {"candidate": answer_file(tmp_path, GOOD)})
    assert written == ["cup", "cup 0.90", "#1 0.60"]


def test_without_labels_nothing_is_wrong(tmp_path: Path) -> None:
    known = files(tmp_path, objects=None, text="出口")
    painted = paint_case(known, {"candidate": answer_file(tmp_path, GOOD)})
    assert has(painted.answers["candidate"]["found"], RIGHT)
    assert not has(painted.answers["candidate"]["found"], WRONG)


def test_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = answer_file(tmp_path, b"<html>")
    assert "not JSON" in str(paint_case(files(tmp_path), {"candidate": broken}).answers["candidate"]["found"])
    bad = answer_file(tmp_path, {"objects": 3})
    assert "not a list" in str(paint_case(files(tmp_path), {"candidate": bad}).answers["candidate"]["found"])
    gone = paint_case(None, {"candidate": bad})
    assert gone.of_case["photo"] == gone.answers["candidate"]["found"] == "the suite's files are not at hand"
    monkeypatch.setattr(module, "LIMITS", ImageLimits(pixels=100))
    large = paint_case(files(tmp_path), {"candidate": bad})
    assert "pixels" in str(large.of_case["photo"])


def test_many_objects_and_long_names_take_no_more_room(tmp_path: Path) -> None:
    many = {"objects": [{"label": f"thing {n} {'x' * 150}", "confidence": n / 1000} for n in range(1000)]}
    painted = paint_case(files(tmp_path), {"candidate": answer_file(tmp_path, many)})
    assert drawn(painted.answers["candidate"]["found"]).shape == drawn(painted.of_case["truth"]).shape


@pytest.mark.parametrize("size", [(64, 3000), (40, 30), (4000, 100)])
def test_pictures_of_any_shape(tmp_path: Path, size: tuple[int, int]) -> None:
    known = files(tmp_path, size, objects=[{"label": "cup", "box": [0, 0, 10, 10]}])
    assert max(drawn(paint_case(known, {}).of_case["truth"]).shape[:2]) <= 1024 + 100
