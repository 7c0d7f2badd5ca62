"""Two answers of one recognition model: labels, boxes and texts, and what cannot be compared."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.families.recognition.agreement import compare
from penstock.families.registry import family
from penstock.foundation.errors import UsageError

CUP = {"label": "Cup", "confidence": 0.9, "box": [10, 10, 20, 20]}
BOOK = {"label": "书", "confidence": 0.6, "box": [40, 10, 15, 30]}
GOOD = {"objects": [CUP, BOOK], "description": "a cup", "text": "出口 Exit"}
SAME = {"labels": 0.0, "confidence": 0.0, "boxes": 0.0, "text": 0.0, "description": 0.0}


def apart(folder: Path, one: Any, other: Any) -> dict[str, float]:
    files = []
    for name, content in (("one", one), ("other", other)):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        files.append({"": path})
    return compare(*files, {})


def test_the_same_answer_is_no_distance_by_each_of_the_familys_limits(tmp_path: Path) -> None:
    agreement = family("recognition").agreement
    assert agreement is not None
    assert agreement.limits.keys() == SAME.keys()
    assert apart(tmp_path, GOOD, GOOD) == SAME
    assert apart(tmp_path, {"objects": []}, {"objects": []}) == SAME, "a service without texts"


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"objects": [CUP, BOOK | {"label": "报纸"}]}, {"labels": 2 / 3}),
        ({"objects": [CUP | {"label": "CUP", "confidence": 0.85}, BOOK]}, {"confidence": 0.05}),
        ({"objects": [CUP | {"box": [10, 10, 20, 10]}, BOOK]}, {"boxes": 0.5}),
        ({"objects": [CUP | {"box": None}, BOOK]}, {"boxes": 1.0}),
        ({"objects": [BOOK, CUP, CUP | {"box": [60, 60, 5, 5], "confidence": 0.3}]}, {"boxes": 1.0}),
        ({"text": "出口 Exif"}, {"text": 1 / 6}),
        ({"description": "two cups"}, {"description": 4 / 8}),
    ],
)
def test_what_differs_moves_its_own_value(tmp_path: Path, changes: dict[str, Any], moved: dict[str, float]) -> None:
    assert apart(tmp_path, GOOD, GOOD | changes) == pytest.approx(SAME | moved)
    assert apart(tmp_path, GOOD | changes, GOOD) == pytest.approx(SAME | moved)


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"with the exported file: objects\[0\].confidence is 2"):
        apart(tmp_path, GOOD, GOOD | {"objects": [CUP | {"confidence": 2}]})
    with pytest.raises(UsageError, match="with the trained weights: the answer has no 'text'"):
        apart(tmp_path, {"objects": [], "description": ""}, GOOD | {"objects": [], "description": ""})
    with pytest.raises(UsageError, match="not an object with 'objects'"):
        apart(tmp_path, GOOD, [])
    with pytest.raises(UsageError, match="several calls"):
        compare({}, {}, {})


def test_what_nobody_can_read_does_not_agree_unless_it_is_the_same(tmp_path: Path) -> None:
    in_per_cent = {"objects": [CUP | {"confidence": 90}]}
    assert apart(tmp_path, in_per_cent, in_per_cent) == SAME
    with pytest.raises(UsageError, match=r"trained weights: objects\[0\].confidence is 90, .*exported file: .* is 12"):
        apart(tmp_path, in_per_cent, {"objects": [BOOK | {"confidence": 12}]})
    with pytest.raises(UsageError, match="the answer has no 'text'; with the exported file: 'text' is null"):
        apart(tmp_path, {"objects": []}, {"objects": [], "text": None})


def test_the_same_box_is_exactly_the_same(tmp_path: Path) -> None:
    """A contract may allow 0."""
    answer = {"objects": [CUP | {"box": [x + 0.1, 0.7 * x, 0.3, 0.1 + x / 7]} for x in range(30)]}
    assert apart(tmp_path, answer, answer) == SAME


@pytest.mark.slow
def test_as_many_objects_as_an_answer_may_have_take_seconds(tmp_path: Path) -> None:
    many = {"objects": [CUP | {"label": f"cup {number}"} for number in range(3000)]}
    moved = {"objects": [each | {"box": [10, 10, 20, 25]} for each in many["objects"]]}
    began = time.process_time()
    assert apart(tmp_path, many, moved) == pytest.approx(SAME | {"boxes": 0.2})
    assert time.process_time() - began < 10, "labels times objects would be minutes"
