"""A case is an image or a pair, and says of itself what can be measured of it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from penstock.families.face.case import FaceCase

IMAGE, PAIR = {"image": "a.png"}, {"first": "a.png", "second": "b.png"}


def case(inputs: dict[str, str], **fields: Any) -> FaceCase:
    return FaceCase.model_validate({"name": "a", "inputs": inputs, **fields})


def test_what_is_out_of_distribution_is_a_slice() -> None:
    assert case(IMAGE, ood="blur").slices == ["blur"]
    assert case(IMAGE, ood="blur", slices=["men", "blur"]).slices == ["men", "blur"]
    assert case(IMAGE, slices=["men"]).slices == ["men"]
    with pytest.raises(ValidationError, match="slices"):
        case(IMAGE, ood="blur", slices="men")


@pytest.mark.parametrize(
    ("inputs", "fields", "said"),
    [
        (IMAGE | PAIR, {"same": True}, "make it two cases"),
        ({"first": "a.png"}, {"same": True}, "has the input 'image', or the inputs 'first' and 'second'"),
        ({"picture": "a.png"}, {}, "has the input 'image', or the inputs 'first' and 'second'"),
        (IMAGE, {"same": True}, "of an image say 'identity'"),
        (IMAGE, {"identities": ["a", "b"]}, "of an image say 'identity'"),
        (PAIR, {"same": True, "identity": "anna"}, "of a pair say 'identities: "),
        (PAIR, {}, "the field 'same' is missing"),
        (
            PAIR,
            {"same": True, "identities": ["anna", "ben"]},
            "'same' is true, and the identities are 'anna' and 'ben'",
        ),
        (PAIR, {"same": False, "identities": ["anna", "anna"]}, "'same' is false"),
        (PAIR, {"same": True, "identities": ["anna"]}, "at least 2 items"),
        (IMAGE, {"identity": ""}, "at least 1 character"),
    ],
)
def test_what_does_not_fit(inputs: dict[str, str], fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        case(inputs, **fields)


def test_a_pair_that_has_to_be_refused_need_not_say_who_it_is() -> None:
    assert case(PAIR, expect={"json": {"$.decision": "refused"}}).same is None


def test_what_can_be_measured_of_it() -> None:
    assert set(case(PAIR, same=True).inapplicable) == {"face_quality", "fnmr", "fmr", "drift"}
    assert set(case(IMAGE, identity="anna").inapplicable) == {"bands"}
    assert set(case(IMAGE).inapplicable) == {"bands", "fnmr", "fmr"}
    blurred = case(IMAGE, identity="anna", ood="blur").inapplicable
    assert set(blurred) == {"bands", "fnmr", "fmr", "drift"}
    assert blurred["drift"] == "the image is out of distribution (blur)"
