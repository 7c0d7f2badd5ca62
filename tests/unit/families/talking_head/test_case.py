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
