"""All composed pictures of a run."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from tests.unit.report.shown_pairs import FELL, judge, video_pair, write_side

from penstock.bundle.directory import Bundle
from penstock.report.page import write_report
from penstock.report.picture_files import MAX_WORST_BYTES, moving_picture, pictures_dir, worst_picture
from penstock.report.pictures import draw_pictures


@pytest.mark.slow
def test_the_worst_case_is_drawn_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    candidate, baseline = video_pair(tmp_path)
    draw_pictures(candidate, baseline)
    path = worst_picture(candidate)
    assert path is not None
    content = path.read_bytes()
    assert len(content) <= MAX_WORST_BYTES
    assert cv2.imread(str(path)).shape[1] == 1000
    stale = pictures_dir(candidate) / "stale.png"
    stale.write_bytes(b"of a run before")
    draw_pictures(candidate, baseline)
    assert path.read_bytes() == content
    assert not stale.exists()


@pytest.mark.slow
def test_moving_picture_and_sheets_are_beside_it_and_the_page_leads_to_them(tmp_path: Path) -> None:
    candidate, baseline = video_pair(tmp_path)
    drawn = draw_pictures(candidate, baseline)
    assert [picture.path for picture in drawn] == [
        "pictures/worst.png",
        "pictures/worst.webp",
        "pictures/sheets/00-all-cases.jpg",
    ]
    assert [picture.label for picture in drawn][2] == "all cases (2 cases)"
    moving = moving_picture(candidate)
    assert moving is not None
    sheet = cv2.imread(str(candidate.report / drawn[2].path))
    assert sheet is not None
    before = {picture.path: (candidate.report / picture.path).read_bytes() for picture in drawn}
    draw_pictures(candidate, baseline)
    assert before == {path: (candidate.report / path).read_bytes() for path in before}
    write_report(candidate, baseline, pictures=drawn)
    page = (candidate.report / "index.html").read_text(encoding="utf-8")
    assert 'href="pictures/sheets/00-all-cases.jpg"' in page


@pytest.mark.slow
def test_slices_with_hostile_names_have_plain_files(tmp_path: Path) -> None:
    candidate, baseline = video_pair(tmp_path)
    names = {"good": "../../evil", "bad": "\u202e<b>"}
    measured = candidate.measurements()
    more = [found.model_copy(update={"case": f"{found.case}-2"}) for found in measured]
    candidate.write_measurements(
        found.model_copy(update={"slices": [names[found.case.removesuffix("-2")]]}) for found in [*measured, *more]
    )
    drawn = draw_pictures(candidate, baseline)
    assert [picture.path for picture in drawn][3:] == [
        "pictures/sheets/01-______evil.jpg",
        "pictures/sheets/02-__b_.jpg",
    ]


def test_nothing_to_see_is_no_picture(tmp_path: Path) -> None:
    bundle = write_side(tmp_path / "new", "2", {"a": None})
    judge(bundle, FELL)
    draw_pictures(bundle, None)
    assert worst_picture(bundle) is None


def test_answers_that_are_no_videos_are_said_in_the_picture(tmp_path: Path) -> None:
    bundle: Bundle = write_side(tmp_path / "new", "2", {"a": 9.0}, family="talking-head")
    (bundle.outputs / "a").mkdir(parents=True)
    (bundle.outputs / "a" / "output.mp4").write_bytes(b"no video")
    judge(bundle, FELL)
    draw_pictures(bundle, None)
    assert worst_picture(bundle) is not None
