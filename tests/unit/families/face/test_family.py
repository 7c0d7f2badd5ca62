"""What face recognition is."""

from __future__ import annotations

from penstock.families.face.case import FaceCase
from penstock.families.face.family import FAMILY
from penstock.families.registry import family
from penstock.foundation.references import load


def test_it_is_in_the_table_and_all_that_it_names_is_there() -> None:
    assert family("face") == FAMILY
    assert load(FAMILY.case) is FaceCase
    assert callable(load(FAMILY.measurer))
    assert FAMILY.compares_released
