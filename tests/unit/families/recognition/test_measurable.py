"""What a suite of recognition can have no value of, told before anything runs."""

from __future__ import annotations

import pytest

from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.measurable import unmeasurable


def case(name: str, **fields: object) -> RecognitionCase:
    return RecognitionCase.model_validate({"name": name, "inputs": {"image": "a.png"}, **fields})


CASES = [
    case("boxed", objects=[{"label": "cat", "box": [0, 0, 9, 9]}], slices=["boxed"]),
    case("named", labels=["cat"], slices=["named"]),
    case("empty", labels=[], slices=["empty"]),
    case("read", text="abc", slices=["read"]),
]


@pytest.mark.parametrize(
    ("metric", "of", "why"),
    [
        *((metric, None, "") for metric in ("map", "map50", "ece", "aurc", "cer")),
        *((metric, "boxed", "") for metric in ("map", "map50", "ece", "aurc")),
        ("map", "named", "no case of the slice says where its objects are"),
        ("ece", "empty", ""),
        ("aurc", "empty", "no case of the slice names labels that are to be found"),
        ("ece", "read", "no case of the slice names labels"),
        ("latency", "read", ""),
    ],
)
def test_what_is_missing(metric: str, of: str | None, why: str) -> None:
    assert unmeasurable(metric, of, CASES) == why
