"""Files of answers and truths, matched by their names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.matting.drawn_clips import PNG, discs, write_clip, write_cutouts
from tests.unit.families.matting.drawn_mattes import cutout, disc, save

from penstock.families.matting.matte_files import MattePair, pairs_of, score_files
from penstock.foundation.errors import UsageError


def test_a_pair_of_files(tmp_path: Path) -> None:
    answer, truth = save(tmp_path / "a.png", cutout(disc())), save(tmp_path / "t.png", disc())
    values = score_files(MattePair("a", answer, {"truth": truth}))
    assert values["mae"] == 0.0
    assert "fringe" not in values
    colours = save(tmp_path / "f.png", np.full((60, 80, 3), 120, np.uint8))
    assert score_files(MattePair("a", answer, {"truth": truth, "foreground": colours}))["fringe"] == pytest.approx(0.0)
    matte = save(tmp_path / "m.png", disc())
    assert (
        score_files(MattePair("m", matte, {"truth": truth, "foreground": colours}))["fringe"]
        == "the answer has no colours"
    )


def test_a_clip_has_its_flicker_too(tmp_path: Path) -> None:
    truth = write_clip(tmp_path / "t.mkv", discs())
    values = score_files(MattePair("a", write_cutouts(tmp_path / "a.mov", discs(), **PNG), {"truth": truth}))
    assert (values["mae"], values["dtssd"], "fringe" in values) == (0.0, 0.0, False)
    with pytest.raises(UsageError, match="the answer has 3 frames where 4 are wanted"):
        score_files(MattePair("b", write_cutouts(tmp_path / "b.mov", discs(3), **PNG), {"truth": truth}))


def test_another_size_is_refused(tmp_path: Path) -> None:
    answer, truth = save(tmp_path / "a.png", disc((40, 60))), save(tmp_path / "t.png", disc())
    with pytest.raises(UsageError, match=r"'a.png' is 40x60 pixels, and the truth, 't.png', is 80x60"):
        score_files(MattePair("a", answer, {"truth": truth}))


def test_files_are_matched_by_name_whatever_their_suffix_and_the_missing_are_named(tmp_path: Path) -> None:
    for name in ("b.png", "a.PNG", "only-here.png", "README.md", ".hidden.png"):
        (tmp_path / "ours").mkdir(exist_ok=True)
        (tmp_path / "ours" / name).touch()
    for name in ("a.png", "b.png", "only-there.png"):
        (tmp_path / "truths").mkdir(exist_ok=True)
        (tmp_path / "truths" / name).touch()
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "b.png").touch()
    known = {"truth": tmp_path / "truths", "trimap": tmp_path / "maps", "foreground": None}
    found = pairs_of(tmp_path / "ours", known)
    assert [(pair.name, pair.fault) for pair in found] == [
        ("a", "there is no trimap of this name"),
        ("b", ""),
        ("only-here", "there is no ground truth of this name"),
        ("only-there", "there is no answer of this name"),
    ]
    assert found[1].known == {"truth": tmp_path / "truths" / "b.png", "trimap": tmp_path / "maps" / "b.png"}


def test_folders_that_cannot_be_matched(tmp_path: Path) -> None:
    ours, truths = tmp_path / "ours", tmp_path / "truths"
    ours.mkdir()
    truths.mkdir()
    known = {"truth": truths, "trimap": None, "foreground": None}
    with pytest.raises(UsageError, match="holds no picture"):
        pairs_of(ours, known)
    (ours / "a.png").touch()
    (ours / "a.webp").touch()
    with pytest.raises(UsageError, match="have one name"):
        pairs_of(ours, known)
    with pytest.raises(UsageError, match="a folder is wanted"):
        pairs_of(ours / "a.png", known)
    with pytest.raises(UsageError, match="the folder is missing"):
        pairs_of(tmp_path / "none", known)
