"""The family is found, and what it names can be loaded."""

from __future__ import annotations

from penstock.families.recognition.case import RecognitionCase
from penstock.families.recognition.family import FAMILY
from penstock.families.recognition.measurer import RecognitionMeasurer
from penstock.families.registry import family
from penstock.foundation.references import load


def test_it_is_found() -> None:
    assert family("recognition") is FAMILY
    assert load(FAMILY.case) is RecognitionCase
    assert load(FAMILY.measurer) is RecognitionMeasurer
    assert FAMILY.check is not None
    assert callable(load(FAMILY.check))
