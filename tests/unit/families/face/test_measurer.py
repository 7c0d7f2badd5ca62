"""Answers of faces, measured: what is wrong with one is a reason, and nothing of it is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.families.face.answers import compare, crowd, feature, image, pair, seen, written

from penstock.bundle.models import Invocation
from penstock.evaluation.measurer import Answer
from penstock.families.face.features import FaceFeatures, PairFeatures
from penstock.families.face.measurer import FaceMeasurer
from penstock.foundation.errors import UsageError

MEASURER = FaceMeasurer({}, None)
CALL = Invocation(case="a", status="ok")


@pytest.fixture
def measured(tmp_path: Path):
    """Measure an answer to an image (``feature``) or a pair (``compare``)."""
    (tmp_path / "a.png").write_bytes(b"picture")

    def run(call: str, value: Any, **given: Any) -> Answer:
        case = image("a") if "image" in given.pop("inputs", {"image": ""}) and call != "compare" else pair("a", True)
        inputs = dict.fromkeys(case.inputs, tmp_path / "a.png")
        return MEASURER.case(case, CALL, {call: written(tmp_path, value)}, inputs, given, {})

    return run


@pytest.mark.parametrize("call", ["feature", ""])
def test_an_image(measured, call: str) -> None:
    answer = measured(call, feature())
    assert answer.values == {"face_quality": 0.9}
    assert isinstance(answer.features, FaceFeatures)
    assert (answer.features.vector.shape, len(answer.features.digest)) == ((512,), 64)


def test_a_pair(measured) -> None:
    answer = measured("compare", compare())
    assert (answer.values, answer.why) == ({"bands": 1.0}, {})
    assert isinstance(answer.features, PairFeatures)
    assert (answer.features.similarity, answer.features.refused) == (0.7, False)
    answer = measured("compare", compare(quality_score1=0.1))
    assert answer.values == {"bands": 0.0}
    assert "must be 'refused'" in answer.why["bands"]


def test_what_is_wrong_is_the_reason_of_every_metric(measured) -> None:
    answer = measured("feature", feature(quality_score=2))
    assert answer.features is None
    assert set(answer.values) == {"bands", "face_quality", "drift"}
    assert {str(value).partition(":")[0] for value in answer.values.values()} == {
        "'quality_score' is 2, outside 0 to 1"
    }
    assert "no answer of a call 'feature'" in str(measured("other", feature()).values["drift"])


def test_the_contracts_parameters(measured) -> None:
    assert measured("feature", feature(feature=[2, 0]), feature_length=2).features is not None
    assert "length 2" in str(
        measured("feature", feature(feature=[2, 0]), feature_length=2, unit_norm=True).values["drift"]
    )
    for wrong in ({"feature_length": 0}, {"feature_length": "512"}, {"feature_length": True}, {"unit_norm": "yes"}):
        with pytest.raises(UsageError, match="the parameter"):
            measured("feature", feature(), **wrong)


def test_how_far_a_vector_moved() -> None:
    assert MEASURER.compare(image("a"), seen([1, 0]), seen([2, 0])) == {"drift": pytest.approx(0.0)}
    assert MEASURER.compare(image("a"), seen([1, 0]), seen([0, 1])) == {"drift": pytest.approx(1.0)}
    (reason,) = MEASURER.compare(image("a"), seen([1, 0]), seen([0, 1, 0])).values()
    assert "3 values in the released model and 2 now" in str(reason)


def test_all_of_them_together() -> None:
    cases, answers = crowd(4, 2)
    told = {line.metric for line in MEASURER.suite(cases, answers)}
    assert {"eer", "tar_1e-1", "fnmr", "fmr", "discard", "pair_eer", "auroc", "fpr95", "repeatable"} <= told
    compared = [line.metric for line in MEASURER.compare_suite(cases, answers, answers)]
    assert compared == ["gallery", "gallery_eer", "schema_breaks"]


def test_what_readers_of_the_released_answers_would_miss(measured) -> None:
    cases = [image("a"), pair("b", True)]
    released = [measured("feature", feature(pose=[1, 2])), measured("compare", compare(model="v1"))]

    def breaks(*answers: Answer) -> tuple[float | None, str]:
        found = {line.metric: line for line in MEASURER.compare_suite(cases, answers, released)}["schema_breaks"]
        return found.value, found.error or ""

    assert breaks(*released) == (0.0, "")
    value, why = breaks(measured("feature", feature()), measured("compare", compare(model=1)))
    assert value == 2.0
    assert why.split("; ") == ["$.feature.pose is gone", "$.compare.model is now a number, where it was text"]
    value, why = breaks(measured("feature", feature(quality_score=2)), released[1])
    assert (value, why) == (None, "case 'a': it has no answer that can be used")
