"""All composed pictures of a run."""

from __future__ import annotations

from pathlib import Path

import cv2
from tests.unit.report.shown_pairs import FELL, judge, video_pair, write_side

from penstock.bundle.directory import Bundle
from penstock.report.picture_files import MAX_WORST_BYTES, pictures_dir, worst_picture
from penstock.report.pictures import draw_pictures


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
