"""The pictures of a bundle, which may be edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.bundle.directory import Bundle
from penstock.report.picture_files import (
    MAX_MOVING_BYTES,
    MAX_WORST_BYTES,
    MOVING,
    WORST,
    moving_picture,
    pictures_dir,
    worst_picture,
)


def test_none_where_there_is_none(tmp_path: Path) -> None:
    assert worst_picture(Bundle(tmp_path)) is None
    assert moving_picture(Bundle(tmp_path)) is None


@pytest.mark.parametrize(
    ("name", "find", "most"), [(WORST, worst_picture, MAX_WORST_BYTES), (MOVING, moving_picture, MAX_MOVING_BYTES)]
)
def test_a_plain_file_of_a_fitting_size(tmp_path: Path, name: str, find: object, most: int) -> None:
    assert callable(find)
    bundle = Bundle(tmp_path / "bundle")
    folder = pictures_dir(bundle)
    folder.mkdir(parents=True)
    path = folder / name
    for size, found in ((0, None), (1, path), (most, path), (most + 1, None)):
        path.write_bytes(b"\x00" * size)
        assert find(bundle) == found
    path.unlink()
    (tmp_path / "secret").write_bytes(b"secret")
    path.symlink_to(tmp_path / "secret")
    assert find(bundle) is None
    path.unlink()
    folder.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / name).write_bytes(b"x")
    folder.symlink_to(tmp_path / "elsewhere")
    assert find(bundle) is None
