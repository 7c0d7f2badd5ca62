"""Labels that count as true ones by their vectors, under an embedding that is named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.families.recognition.recognition_cases import case

from penstock.families.recognition.answer_file import FoundObject, RecognitionAnswer
from penstock.families.recognition.fitting_files import check_files, synonyms_of
from penstock.families.recognition.label_vectors import read_label_vectors
from penstock.families.recognition.measurer import examine
from penstock.foundation.errors import UsageError

GOOD: dict[str, Any] = {
    "embedding": "drawn by hand 1",
    "threshold": 0.9,
    "vectors": {"Cup": [2, 0, 0], "mug": [0.9, 0.3, 0], "dog": [0, 1, 0], "书": [0, 0, 5], "book": [0, 0.1, 1]},
}


def written(folder: Path, **changed: Any) -> Path:
    path = folder / "similar.json"
    path.write_text(json.dumps(GOOD | changed), encoding="utf-8")
    return path


def test_the_nearest_true_label_from_the_threshold_on(tmp_path: Path) -> None:
    found = read_label_vectors(written(tmp_path))
    assert found.alike({"cup", "dog"}) == {"mug": ("cup", pytest.approx(0.9 / 0.9**0.5, abs=1e-6))}
    assert found.alike({"书"}) == {"book": ("书", pytest.approx(1 / 1.01**0.5, abs=1e-6))}
    assert found.alike(set()) == {}
    digest = hashlib.sha256((tmp_path / "similar.json").read_bytes()).hexdigest()
    assert found.stated == f"cosine of at least 0.9 under 'drawn by hand 1', sha256 {digest}"
    assert read_label_vectors(written(tmp_path, threshold=0.96)).alike({"cup"}) == {}


def test_a_near_label_counts_and_the_evidence_says_by_what(tmp_path: Path) -> None:
    objects = (FoundObject("MUG", 0.9, None), FoundObject("dog", 0.5, None))
    answer = RecognitionAnswer({"objects": []}, objects, "", "")
    asked = case(labels=["cup"])
    files = {"similar": (written(tmp_path),)}
    check_files(asked, {}, files)
    known = synonyms_of(asked, files)
    measured = examine(asked, answer, known)
    assert (measured.values["label_recall"], measured.values["label_precision"]) == (1.0, 0.5)
    assert measured.why["label_f1"].startswith("not there: dog; 'mug' counts as 'cup' (0.949); likeness: cosine of at")
    assert known.stated in measured.why["label_f1"]
    assert examine(asked, answer, synonyms_of(asked, {})).values["label_recall"] == 0.0


def test_a_true_label_without_a_vector(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the label 'cat' has no vector"):
        check_files(case(labels=["cat"]), {}, {"similar": (written(tmp_path),)})


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"threshold": 0}, "'threshold' is 0, not a cosine above 0 and up to 1"),
        ({"threshold": True}, "'threshold' is true"),
        ({"embedding": " "}, "'embedding' is \" \", not a name"),
        ({"more": 1}, "it has other fields"),
        ({"vectors": {}}, "'vectors' is not an object with labels"),
        ({"vectors": {"cup": []}}, "the vector of 'cup' is"),
        ({"vectors": {"cup": [1], "mug": [1, 2]}}, "the vector of 'mug' is"),
        ({"vectors": {"cup": [1, "2"]}}, "the vector of 'cup' is"),
        ({"vectors": {"cup": [0, 0]}}, "the vector of 'cup' is zero throughout"),
        ({"vectors": {"cup": [1], "CUP": [1]}}, "'cup' and 'CUP' are one label"),
    ],
)
def test_what_is_no_file_of_vectors(tmp_path: Path, changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_label_vectors(written(tmp_path, **changed))


def test_what_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "similar.json").write_text('{"embedding": NaN}', encoding="utf-8")
    with pytest.raises(UsageError, match="it is not JSON: NaN is not a JSON number"):
        read_label_vectors(tmp_path / "similar.json")
