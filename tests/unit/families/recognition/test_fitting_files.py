"""A suite whose boxes or synonyms cannot be is refused before any model is started."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.families.recognition.recognition_cases import case, picture, table

from penstock.contract.models import Case
from penstock.families.recognition.fitting_files import check_files, synonyms_of
from penstock.foundation.errors import UsageError


def test_what_fits(tmp_path: Path) -> None:
    inside = case(objects=[{"label": "cup", "box": [60, 40, 20, 20]}], language="zh")
    files = {"synonyms": (table(tmp_path),)}
    check_files(inside, {"image": picture(tmp_path)}, files)
    assert synonyms_of(inside, files).meaning("书本") == "book"
    assert synonyms_of(inside, {}).meaning("书本") == "书本"


def test_a_box_outside(tmp_path: Path) -> None:
    outside = case(objects=[{"label": "cup", "box": [61, 40, 20, 20]}])
    with pytest.raises(UsageError, match=r"\[61, 40, 20, 20\] is not inside the picture, 80x60 pixels"):
        check_files(outside, {"image": picture(tmp_path)}, {})


def test_a_language_that_the_table_lacks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no language 'fr'"):
        check_files(case(labels=[], language="fr"), {}, {"synonyms": (table(tmp_path),)})


def test_a_case_of_another_family() -> None:
    with pytest.raises(TypeError, match="not a case of recognition"):
        check_files(Case(name="a", inputs={}), {}, {})
