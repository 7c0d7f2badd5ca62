"""What matting is."""

from __future__ import annotations

from penstock.families.matting.case import MattingCase
from penstock.families.matting.family import FAMILY
from penstock.families.registry import family
from penstock.foundation.references import load


def test_it_is_in_the_table_and_all_that_it_names_is_there() -> None:
    assert family("matting") == FAMILY
    assert load(FAMILY.case) is MattingCase
    assert callable(load(FAMILY.measurer))
    assert FAMILY.check is not None
    assert callable(load(FAMILY.check))
    assert callable(load(FAMILY.commands["matte"]))
