"""What a photo is compared with is read, and held to be of one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.matting.drawn_mattes import cutout, disc, save

from penstock.families.matting.files_of_case import CaseTruth, read_known
from penstock.foundation.errors import UsageError


def files(folder: Path) -> dict[str, tuple[Path, ...]]:
    trimap = np.zeros((60, 80), np.uint8)
    trimap[10:20] = 128
    return {
        "truth": (save(folder / "t.png", disc()), save(folder / "u.png", cutout(disc(radius=10)))),
        "trimap": (save(folder / "m.png", trimap),),
        "foreground": (save(folder / "f.png", np.dstack([disc() * 0 + value for value in (1, 2, 3)])),),
    }


def test_all_is_read(tmp_path: Path) -> None:
    known = read_known(files(tmp_path))
    assert known.size == (80, 60)
    np.testing.assert_array_equal(known.truths[0], disc() / 255)
    np.testing.assert_array_equal(known.truths[1], disc(radius=10) / 255)
    assert known.unknown is not None
    assert known.unknown.sum() == 800
    assert known.foreground is not None
    assert known.foreground[0, 0].tolist() == [3, 2, 1]


def test_scaling_is_by_area(tmp_path: Path) -> None:
    truth = np.zeros((4, 4))
    truth[:, 0] = 1
    unknown = truth > 0
    known = CaseTruth((truth,), unknown, np.full((4, 4, 3), 200, np.uint8)).scaled((2, 2))
    assert known.truths[0].tolist() == [[0.5, 0], [0.5, 0]]
    assert known.unknown is not None
    assert known.unknown.tolist() == [[True, False], [True, False]]
    assert known.foreground is not None
    assert known.foreground.tolist() == np.full((2, 2, 3), 200).tolist()
    odd = CaseTruth((np.ones((2999, 1000)),), None, None).scaled((341, 1024))
    assert odd.truths[0].max() <= 1.0


@pytest.mark.parametrize("what", ["truth", "trimap", "foreground"])
def test_another_size_is_refused(tmp_path: Path, what: str) -> None:
    found = files(tmp_path)
    small = np.full((40, 80), 128, np.uint8)
    others = (*found[what][:-1], save(tmp_path / "small.png", small))
    with pytest.raises(UsageError, match=r"'small.png' is 80x40 pixels, and t.png is 80x60"):
        read_known(found | {what: others})
