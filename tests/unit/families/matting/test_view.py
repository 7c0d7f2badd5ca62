"""What the report shows of a cut-out."""

from __future__ import annotations

import re

from penstock.families.matting.view import VIEW


def test_names_are_plain_and_of_one_picture_each() -> None:
    assert VIEW.stills is not None
    names = [still.name for still in (*VIEW.stills.of_case, *VIEW.stills.of_answer)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[a-z]+", name) for name in names)
