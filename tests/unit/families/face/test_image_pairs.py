"""Files that say which images are compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penstock.families.face.image_pairs import read_image_pairs
from penstock.foundation.errors import UsageError


def written(folder: Path, *lines: str) -> Path:
    path = folder / "pairs.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_pairs_name_images(tmp_path: Path) -> None:
    found = read_image_pairs(written(tmp_path, "first,second,same", "张/1.png,张/2.png,1", "张/1.png,b.png,0"))
    assert found.names == ("b.png", "张/1.png", "张/2.png")
    assert (found.first.tolist(), found.second.tolist(), found.same.tolist()) == ([1, 1], [2, 0], [True, False])
    assert found.rows(np.array(["张/2.png", "b.png", "x", "张/1.png"]), tmp_path).tolist() == [1, 3, 0]
    with pytest.raises(UsageError, match=r"there is no image '张/1\.png'"):
        found.rows(np.array(["b.png"]), tmp_path)
    with pytest.raises(UsageError, match="the vectors have no names"):
        found.rows(None, tmp_path)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["first,same", "a,1"], "there is no column 'second'"),
        (["first,second,same", "a,b,1"], "there are no pairs of two people"),
        (["first,second,same", "a,../b,1", "a,c,0"], "'../b' is no image below the folder"),
        (["first,second,same", "/etc/passwd,b,1", "a,c,0"], "'/etc/passwd' is no image below the folder"),
        (["first,second,same", "a,b,maybe", "a,c,0"], "neither 0 nor 1"),
    ],
)
def test_what_is_no_file_of_pairs(tmp_path: Path, lines: list[str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_image_pairs(written(tmp_path, *lines))
