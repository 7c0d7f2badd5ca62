"""The pictures of a case: which way an error is coloured, where the worst one is, what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.unit.families.matting.drawn_mattes import cutout, disc, save

from penstock.families.matting import paint_case as module
from penstock.families.matting.case import MattingCase
from penstock.families.matting.paint_case import BROKEN, USABLE, paint_case
from penstock.media.images import ImageLimits
from penstock.metrics.matte_arrays import shape_of
from penstock.report.case_files import CaseFiles
from penstock.report.still_pictures import Picture

CASE = MattingCase(name="a", inputs={"image": "a.png"}, truth="t.png")


def files(folder: Path, size: tuple[int, int] = (80, 60), **given: int | str) -> CaseFiles:
    photo = save(folder / "photo.png", np.full((size[1], size[0], 3), (10, 20, 30), np.uint8))
    truth = save(folder / "truth.png", disc(size))
    return CaseFiles({"image": photo}, {"truth": (truth,)}, given, CASE)


def picture(value: Picture | str) -> Picture:
    assert not isinstance(value, str), value
    return value


def test_too_much_is_red_and_too_little_blue(tmp_path: Path) -> None:
    much, little = disc(), disc()
    much[5:11, 70:76] = 255
    little[25:35, 30:40] = 0
    answers = {
        "candidate": save(tmp_path / "a.png", cutout(much)),
        "baseline": save(tmp_path / "b.png", cutout(little)),
    }
    found = paint_case(files(tmp_path), answers)
    blue, _, red = picture(found.answers["candidate"]["error"])[8, 73].tolist()
    assert (red, blue) == (200, 38)
    blue, _, red = picture(found.answers["baseline"]["error"])[30, 35].tolist()
    assert (red, blue) == (20, 200)
    assert picture(found.answers["candidate"]["error"])[58, 2].tolist() == [255, 255, 255]
    assert np.array_equal(picture(found.answers["candidate"]["alpha"]), much)
    assert picture(found.answers["candidate"]["cutout"]).shape == (60, 80, 4)
    assert picture(found.of_case["photo"])[0, 0].tolist() == [10, 20, 30]
    assert np.array_equal(picture(found.of_case["truth"]), disc())


def test_an_edge_that_holds_is_green_and_one_that_does_not_is_red(tmp_path: Path) -> None:
    truth, cut = disc((400, 300), radius=90), disc((400, 300), radius=90)
    rows, columns = np.nonzero(shape_of(truth / 255).edge)
    cut[:, :200] = 0  # the left half is missing
    known = CaseFiles({}, {"truth": (save(tmp_path / "large.png", truth),)}, {}, CASE)
    found = paint_case(known, {"candidate": save(tmp_path / "a.png", cutout(cut))})
    edge = picture(found.answers["candidate"]["edge"])
    left, right = (edge[rows[side], columns[side]] for side in (columns < 190, columns > 215))
    assert len(left) > 50
    assert np.mean((left == BROKEN).all(axis=1)) > 0.9
    assert np.mean((right == USABLE).all(axis=1)) > 0.9
    assert edge[2, 2].tolist() == [0, 0, 0]


def test_an_answer_without_an_edge_says_so_in_its_place(tmp_path: Path) -> None:
    full = save(tmp_path / "a.png", cutout(np.full((60, 80), 255, np.uint8)))
    found = paint_case(files(tmp_path), {"candidate": full})
    edge = picture(found.answers["candidate"]["edge"])
    assert {tuple(colour) for colour in edge.reshape(-1, 3).tolist()} <= {(140, 140, 140), BROKEN}


def test_a_matte_is_laid_over_the_photo(tmp_path: Path) -> None:
    found = paint_case(files(tmp_path, answer_is="matte"), {"candidate": save(tmp_path / "a.png", disc())})
    cut = picture(found.answers["candidate"]["cutout"])
    assert np.array_equal(cut[:, :, 3], disc())
    assert cut[30, 40, :3].tolist() == [10, 20, 30]


def test_the_worst_place_is_the_largest_error_along_an_edge(tmp_path: Path) -> None:
    alpha = disc()
    alpha[5:11, 70:76] = 255  # a speck: an edge where there should be none
    alpha[29:31, 39:41] = 100  # inside, far from every edge of the truth, and small
    found = paint_case(files(tmp_path), {"candidate": save(tmp_path / "a.png", cutout(alpha))})
    across, down = found.places["candidate"]
    assert across * 80 == pytest.approx(73, abs=1)
    assert down * 60 == pytest.approx(8, abs=1)


def test_a_right_answer_has_no_worst_place(tmp_path: Path) -> None:
    assert paint_case(files(tmp_path), {"candidate": save(tmp_path / "a.png", cutout(disc()))}).places == {}


def test_the_truth_is_scaled_where_the_contract_says_so(tmp_path: Path) -> None:
    small = np.asarray(cv2.resize(disc(), (40, 30), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    answers = {"candidate": save(tmp_path / "a.png", cutout(small))}
    error = picture(paint_case(files(tmp_path, scale_over=50, scale_to=40), answers).answers["candidate"]["error"])
    assert error.shape == (30, 40, 3)
    assert (error.max(axis=2).astype(int) - error.min(axis=2) < 30).all()  # hardly any colour
    reason = paint_case(files(tmp_path), answers).answers["candidate"]["error"]
    assert reason == "the answer is 40x30 pixels where 80x60 are wanted"


def test_what_cannot_be_decoded_is_a_reason_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jpeg = save(tmp_path / "a.jpg", cutout(disc())[:, :, :3])
    (tmp_path / "empty.png").write_bytes(b"")
    found = paint_case(files(tmp_path), {"candidate": jpeg, "baseline": tmp_path / "empty.png"})
    assert found.answers["candidate"]["error"] == (
        "the output is not a PNG with alpha: this is a JPEG picture, where a PNG is wanted"
    )
    assert found.answers["baseline"]["cutout"] == "the file is empty"
    monkeypatch.setattr(module, "LIMITS", ImageLimits(pixels=100))
    large = paint_case(files(tmp_path), {"candidate": save(tmp_path / "b.png", cutout(disc()))})
    assert "80x60 pixels, more than" in str(large.answers["candidate"]["alpha"])


def test_without_the_suite_s_files_the_answer_is_shown_alone(tmp_path: Path) -> None:
    found = paint_case(None, {"candidate": save(tmp_path / "a.png", cutout(disc()))})
    assert np.array_equal(picture(found.answers["candidate"]["alpha"]), disc())
    gone = "the suite's files are not at hand"
    assert found.of_case == {"photo": gone, "truth": gone}
    assert found.answers["candidate"]["error"] == gone
