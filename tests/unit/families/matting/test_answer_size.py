"""How large an answer must be."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.families.matting.answer_size import size_fault, wanted_size
from penstock.foundation.errors import UsageError

RMBG: dict[str, Any] = {"scale_over": 2000, "scale_to": 1024}


@pytest.mark.parametrize(
    ("photo", "given", "wanted"),
    [
        ((3000, 2000), {}, (3000, 2000)),
        ((2000, 1500), RMBG, (2000, 1500)),
        ((2001, 1500), RMBG, (1024, 768)),
        ((1500, 3000), RMBG, (512, 1024)),
        ((8000, 2), RMBG, (1024, 1)),
    ],
)
def test_the_size_that_is_wanted(photo: tuple[int, int], given: dict[str, Any], wanted: tuple[int, int]) -> None:
    assert wanted_size(photo, given) == wanted
    assert size_fault(wanted, photo, given) is None


def test_a_scaled_side_may_be_rounded_otherwise_and_the_photos_own_may_not() -> None:
    assert size_fault((1023, 683), (3000, 2000), RMBG) is None
    assert size_fault((1022, 683), (3000, 2000), RMBG) == (
        "the answer is 1022x683 pixels where 1024x683 are wanted of a photo of 3000x2000"
    )
    assert size_fault((99, 50), (100, 50), RMBG) == "the answer is 99x50 pixels where 100x50 are wanted"


def test_an_answer_that_lies_on_its_side_is_told_why() -> None:
    assert "orientation (EXIF) was not heeded" in str(size_fault((50, 100), (100, 50), {}))


@pytest.mark.parametrize(
    "given", [{"scale_over": 2000}, {"scale_over": 2000, "scale_to": 0}, {"scale_over": "2000", "scale_to": 1024}]
)
def test_parameters_that_make_no_sense(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no whole number of pixels"):
        wanted_size((10, 10), given)
