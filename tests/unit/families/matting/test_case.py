"""A case of a matting suite names files that the model does not get."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.families.matting.case import MattingCase

CASE: dict[str, Any] = {"name": "a", "inputs": {"image": "a.jpg"}}


def test_the_files_that_the_model_does_not_get() -> None:
    more = {"truth": ["t1.png", "t2.png"], "trimap": "m.png", "shadow": "keep"}
    case = MattingCase.model_validate(CASE | more)
    found = [(file.place, file.file) for file in case.withheld_files]
    assert found == [(("truth", 0), "t1.png"), (("truth", 1), "t2.png"), (("trimap",), "m.png")]
    assert case.files == ["a.jpg", "t1.png", "t2.png", "m.png"]
    assert [file.place for file in MattingCase.model_validate(CASE | {"truth": "t.png"}).withheld_files] == [("truth",)]


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({}, "'truth' is missing"),
        ({"truth": []}, "at least 1"),
        ({"truth": ["t.png"] * 21}, "at most 20"),
        ({"truth": "t.png", "inputs": {"image": "a.png", "video": "a.mp4"}}, "a photo .* or a clip .* not both"),
        ({"truth": "t.png", "shadow": "kept"}, "'keep' or 'drop'"),
        ({"truth": "t.png", "truht": "t.png"}, "truht"),
    ],
)
def test_faults(fields: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        MattingCase.model_validate(CASE | fields)


def test_a_clip_is_compared_with_clips_and_a_photo_with_pictures() -> None:
    photo = MattingCase.model_validate(CASE | {"truth": "t.png", "foreground": "f.png"})
    clip = MattingCase.model_validate({"name": "a", "inputs": {"video": "a.mp4"}, "truth": "t.mkv"})
    assert (photo.withheld_kinds("truth"), clip.withheld_kinds("truth")) == (("image",), ("video",))
    assert photo.inapplicable == {"dtssd": "a photograph has no motion"}
    assert clip.inapplicable == {"fringe": "the case names no foreground"}


def test_a_photo_that_must_be_refused_has_no_truth() -> None:
    assert MattingCase.model_validate(CASE | {"expect": {"status": 422}}).withheld_files == []
