"""Names as text lead to what they name."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from penstock.foundation.references import load


def test_a_name_of_a_module_and_one_inside_a_class() -> None:
    assert load("pathlib:Path") is Path
    assert load("pathlib:PurePosixPath.joinpath") is PurePosixPath.joinpath


@pytest.mark.parametrize(
    ("reference", "error"), [("pathlib:Pth", AttributeError), ("no_such_module:x", ModuleNotFoundError)]
)
def test_what_is_not_there(reference: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        load(reference)
