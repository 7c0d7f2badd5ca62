"""An answer of ``/feature``: what is wrong with it is said in words that help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.families.face.answers import feature, written

from penstock.families.face.feature_answer import BadAnswerError, read_feature


def test_a_good_answer(tmp_path: Path) -> None:
    found = read_feature(written(tmp_path, feature()), length=512, unit=True)
    assert (found.vector.shape, found.quality) == ((512,), 0.9)
    assert found.vector[:3].tolist() == pytest.approx([0.6, 0.8, 0.0])
    assert read_feature(written(tmp_path, feature(feature=[3, 4])), length=2, unit=False).vector.tolist() == [3.0, 4.0]


REST = [0.0] * 511


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("no JSON", "the answer is not JSON: "),
        ("[1]", "the answer is a list, not an object"),
        (feature(feature=None), "the answer has no 'feature'; it has 'quality_score', 'resolution', "),
        ({}, "the answer has no 'feature'; it has nothing"),
        (feature(feature="0.1"), "'feature' is text, not a list of 512 numbers"),
        (feature(feature=[0.1] * 128), "'feature' has 128 values where 512 are promised"),
        (feature(feature=[[0.1] * 512]), "'feature' has 1 values where 512 are promised; its first is a list of 512"),
        (feature(feature=["0.1", *REST]), "'feature[0]' is text (\"0.1\"), not a number"),
        (feature(feature=[*REST, True]), "'feature[511]' is true or false (true), not a number"),
        (feature(feature=[*REST, []]), "'feature[511]' is a list ([]), not a number"),
        ('{"feature": [NaN]}', "the answer is not JSON: NaN is not a JSON number"),
        (feature(feature=[*REST, 1e305]), "'feature' holds 1e+305: its length is no number"),
        (feature(feature=[*REST, 1e200]), "'feature' holds values that single precision cannot"),
        (feature(feature=[*REST, 10**310]), "the answer is not JSON: a number has 311 digits"),
        (feature(feature=[*REST, 0]), "'feature' is zero throughout"),
        (feature(feature=[*REST, 1.01]), "'feature' has the length 1.01, and 1 is promised (within 0.001)"),
        (feature(quality_score=None), "the answer has no 'quality_score'; it has "),
        (feature(quality_score="0.9"), "'quality_score' is text (\"0.9\"), not a number"),
        (
            feature(quality_score=1.7),
            "'quality_score' is 1.7, outside 0 to 1: RTS gives exp(log-variance), which nothing",
        ),
        (feature(quality_score=-0.2), "'quality_score' is -0.2, outside 0 to 1"),
        (feature(resolution=112), "'resolution' is 112, not a size such as \"112x112\""),
        (feature(resolution="large"), "'resolution' is \"large\", not a size"),
        (feature(detected_face_area_ratio=40), "'detected_face_area_ratio' is 40, outside 0 to 1"),
        (feature(detected_face_area_ratio=0), "it gives a vector, and found no face"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, answer: Any, said: str) -> None:
    with pytest.raises(BadAnswerError) as told:
        read_feature(written(tmp_path, answer), length=512, unit=True)
    assert said in told.value.what


def test_a_length_is_held_only_where_it_is_promised(tmp_path: Path) -> None:
    assert read_feature(written(tmp_path, feature(feature=[*REST, 2.0])), length=512, unit=False).vector[-1] == 2.0
