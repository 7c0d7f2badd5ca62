"""Files of several folders, matched by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.evaluation.matched_folders import match_files
from penstock.foundation.errors import UsageError


def folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).touch()
    return path


def test_names_come_from_the_folders_that_must_be_whole(tmp_path: Path) -> None:
    folders = {
        "photo": folder(tmp_path / "a", "x.jpg", "y.jpg", "notes.txt", ".hidden.jpg"),
        "truth": folder(tmp_path / "b", "x.png", "z.png"),
        "trimap": folder(tmp_path / "c", "x.png", "y.png", "z.png", "more.png"),
    }
    found = match_files(folders, named_by=("photo", "truth"))
    assert [(each.name, each.fault) for each in found] == [
        ("x", ""),
        ("y", "there is no truth of this name"),
        ("z", "there is no photo of this name"),
    ]
    assert found[0].files == {what: path / ("x.jpg" if what == "photo" else "x.png") for what, path in folders.items()}


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(UsageError, match="a folder is wanted"):
        match_files({"photo": tmp_path / "a"}, named_by=("photo",))
