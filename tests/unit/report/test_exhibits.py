"""What a composed picture shows: frames at the worst moment, pictures, marks; or why it does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from tests.unit.report.shown_pairs import video_pair, write_picture, write_video

from penstock.families.family import Lane, Still, Stills, View
from penstock.families.registry import find_family
from penstock.report import exhibits
from penstock.report.case_files import CaseFiles
from penstock.report.exhibits import exhibit
from penstock.report.media import Medium, media_of
from penstock.report.series import read_series
from penstock.report.still_pictures import CaseStills, MarkedBox, Marks

MASKS = (Still("alpha", "alpha"), Still("cutout", "cut-out", see_through=True))


def paint(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """A cut-out of 100 by 50 pixels, white in its right half; the worst place is in the middle of that."""
    cutout = np.zeros((50, 100, 4), np.uint8)
    cutout[:, 50:] = 255
    return CaseStills({}, {side: {"cutout": cutout, "alpha": "no"} for side in answers}, {"candidate": (0.75, 0.5)})


def paint_marks(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    """A photo, and a box in it."""
    marks = Marks([MarkedBox(0.1, 0.1, 0.5, 0.5, "cat", "right")], [])
    return CaseStills({"photo": np.full((8, 8, 3), 7, np.uint8)}, {side: {"said": marks} for side in answers}, {})


def paint_nothing(files: CaseFiles | None, answers: Mapping[str, Path]) -> CaseStills:
    raise MemoryError("too\nlarge")


def view(painter: str, *of_answer: Still) -> View:
    return View(stills=Stills((Still("photo", "photo"),), of_answer, f"{__name__}:{painter}", "worst edge"))


def medium(path: Path, kind: str = "image") -> Medium:
    return Medium(kind, "", path, 1)  # type: ignore[arg-type]


def test_videos_are_shown_at_the_worst_moment_with_the_mouth_enlarged(tmp_path: Path) -> None:
    candidate, baseline = video_pair(tmp_path)
    family = find_family("talking-head")
    assert family is not None
    answers = {"baseline": media_of(baseline, ["bad"])["bad"], "candidate": media_of(candidate, ["bad"])["bad"]}
    series = {
        "candidate": read_series(candidate, ["bad"], family.view)["bad"],
        "baseline": read_series(baseline, ["bad"], family.view)["bad"],
    }
    shown = exhibit("bad", "lse_d", answers, family.view, series, None)
    assert shown.moment is not None
    assert 4 <= shown.moment.frame <= 8
    at_the_worst = 20 + 5 * shown.moment.frame
    for side, shift in (("baseline", 0), ("candidate", 100)):
        picture = shown.whole[side]
        assert not isinstance(picture, str)
        assert picture.mean() == pytest.approx(at_the_worst + shift, abs=4)
        assert shown.detail[side].shape[1] == pytest.approx(32 * 0.5 * 0.62, abs=1)
    assert shown.part == "mouth"


def test_videos_without_series_are_shown_where_they_differ_most(tmp_path: Path) -> None:
    first = write_video(tmp_path / "a.mp4", [50] * 8)
    second = write_video(tmp_path / "b.mp4", [50, 50, 50, 200, 50, 50, 50, 50])
    answers = {"baseline": medium(first, "video"), "candidate": medium(second, "video")}
    shown = exhibit("a", "psnr", answers, View(), {}, None)
    assert shown.moment is not None
    assert shown.moment.seconds == pytest.approx(3 / 25)


def test_of_a_long_or_large_video_an_earlier_frame_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_video(tmp_path / "a.mp4", [10 * n for n in range(20)])
    series: dict[str, dict[str, object]] = {
        "candidate": {"fps": 25.0, "box": None, "lanes": {"jitter": [None] * 18 + [1.0]}}
    }
    lanes = View(lanes=(Lane("jitter", "jitter", "jitter", "j", ""),))
    frames = []
    for pixels in (10**9, 5 * 32 * 32):
        monkeypatch.setattr(exhibits, "QUICK_PIXELS", pixels)
        shown = exhibit("a", "jitter", {"candidate": medium(path, "video")}, lanes, series, None, quick=True)
        assert shown.moment is not None
        frames.append(shown.moment.frame)
        picture = shown.whole["candidate"]
        assert not isinstance(picture, str)
        assert picture.mean() == pytest.approx(10 * shown.moment.frame, abs=4)
    assert frames == [18, 5]


def test_a_video_that_cannot_be_read_is_a_reason(tmp_path: Path) -> None:
    (tmp_path / "b.mp4").write_bytes(b"none")
    answers = {
        "baseline": medium(write_video(tmp_path / "a.mp4", [50] * 3), "video"),
        "candidate": medium(tmp_path / "b.mp4", "video"),
    }
    shown = exhibit("a", "psnr", answers, View(), {}, None)
    assert not isinstance(shown.whole["baseline"], str)
    assert isinstance(shown.whole["candidate"], str)


def test_a_cut_out_and_its_worst_place_enlarged(tmp_path: Path) -> None:
    answers = {side: medium(tmp_path / side) for side in ("baseline", "candidate")}
    shown = exhibit("a", "mae", answers, view("paint", *MASKS), {}, None)
    assert shown.spot == pytest.approx((0.64, 0.39, 0.22, 0.22))
    assert shown.part == "worst edge"
    assert {side: part.min() for side, part in shown.detail.items()} == {"baseline": 255, "candidate": 255}


def test_marks_lie_over_the_picture_of_the_case(tmp_path: Path) -> None:
    said = Still("said", "what was said", over="photo")
    shown = exhibit("a", "f1", {"candidate": medium(tmp_path, "file")}, view("paint_marks", said), {}, None)
    picture = shown.whole["candidate"]
    assert not isinstance(picture, str)
    assert picture.max() == 7
    assert shown.marks["candidate"].boxes[0].text == "cat"


def test_plain_pictures_and_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"\x89PNG no")
    answers = {
        "baseline": medium(write_picture(tmp_path / "a.png", (10, 20, 30, 128))),
        "candidate": medium(tmp_path / "b.png"),
    }
    shown = exhibit("a", "psnr", answers, View(), {}, None)
    picture = shown.whole["baseline"]
    assert not isinstance(picture, str)
    assert picture[0, 0].tolist() == [10, 20, 30, 128]
    assert isinstance(shown.whole["candidate"], str)
    assert exhibit("a", "", {"candidate": medium(tmp_path / "a.json", "file")}, View(), {}, None).whole == {
        "candidate": "a.json is no picture"
    }


def test_a_painter_that_breaks_is_a_reason(tmp_path: Path) -> None:
    shown = exhibit("a", "mae", {"candidate": medium(tmp_path)}, view("paint_nothing", *MASKS), {}, None)
    assert shown.whole == {"candidate": "it cannot be drawn: MemoryError: too large"}
