"""A picture on the page has transparency, is not of one colour, and is the API's answer again."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.unit.browser.pictures import Picture, cut_out, png

from penstock.browser.shown_result import ShownResult, examine_result
from penstock.contract.page import Page, PageResult
from penstock.foundation.media_kinds import MP4

PAGE = Page(result=PageResult(selector="#out", begins="data:image/png", alpha=True))
ANYTHING = Page(result=PageResult(selector="#out"))


def examined(folder: Path, shown: Picture, answer: Picture | None, page: Page = PAGE) -> ShownResult:
    other = png(folder / "answer.png", answer) if answer is not None else None
    return examine_result(page, png(folder / "shown", shown), other)


def test_the_same_picture_is_right(tmp_path: Path) -> None:
    found = examined(tmp_path, cut_out(), cut_out())
    assert (found.fault, found.size, found.difference) == (None, (8, 6), 0)


def test_what_a_transparent_pixel_hides_is_nobodys_concern(tmp_path: Path) -> None:
    shown = cut_out()
    shown[shown[..., 3] == 0, :3] = 255
    found = examined(tmp_path, shown, cut_out())
    assert (found.fault, found.difference) == (None, 0)


def test_rounding_of_a_canvas_is_within_the_tolerance_and_more_is_not(tmp_path: Path) -> None:
    shown = cut_out()
    shown[2, 7, 2] -= 2
    assert examined(tmp_path, shown, cut_out()).difference == 2
    shown[2, 7, 2] -= 1
    found = examined(tmp_path, shown, cut_out())
    assert (found.fault, found.difference) == (
        "what the page shows differs from the API's answer by 3 of 255 levels, more than 2",
        3,
    )
    assert examined(tmp_path, shown, cut_out(), PAGE.model_copy(update={"tolerance": 3})).fault is None


def test_alpha_is_compared_as_it_is(tmp_path: Path) -> None:
    shown = cut_out()
    shown[..., 3] = 255 - shown[..., 3]
    assert examined(tmp_path, shown, cut_out()).difference == 255


def changed(**alpha: int) -> Picture:
    picture = cut_out()
    picture[..., 3] = alpha["alpha"]
    return picture


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (cut_out()[..., :3], "has no alpha channel"),
        (changed(alpha=0), "is transparent all over"),
        (changed(alpha=255), "is transparent nowhere"),
        (np.full((6, 8, 4), 90, np.uint8), "is of one colour"),
        (cut_out(9), "is 9x6 pixels, the API's answer 8x6"),
    ],
)
def test_each_fault_of_a_picture_has_its_words(tmp_path: Path, shown: Picture, said: str) -> None:
    assert said in (examined(tmp_path, shown, cut_out()).fault or "")


def test_without_transparency_asked_for_a_photo_is_a_result(tmp_path: Path) -> None:
    opaque = cut_out()[..., :3]
    found = examined(tmp_path, opaque, opaque, ANYTHING)
    assert (found.fault, found.difference) == (None, 0)


def test_there_must_be_an_answer_to_compare_with(tmp_path: Path) -> None:
    assert "the API gave no answer" in (examined(tmp_path, cut_out(), None).fault or "")
    (tmp_path / "answer.json").write_text("{}", encoding="utf-8")
    found = examine_result(PAGE, png(tmp_path / "shown", cut_out()), tmp_path / "answer.json")
    assert "is no picture that it could be compared with" in (found.fault or "")


def test_what_is_no_picture_or_a_broken_one_is_told(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.write_bytes(b"<html>error</html>")
    assert "is no picture" in (examine_result(PAGE, shown, None).fault or "")
    assert examine_result(ANYTHING, shown, None) == ShownResult(None, None)
    shown.write_bytes(png(tmp_path / "whole.png", cut_out()).read_bytes()[:-20])
    assert "not a whole PNG" in (examine_result(PAGE, shown, None).fault or "")


def test_a_picture_larger_than_is_read_is_not_decoded(tmp_path: Path) -> None:
    bomb = bytearray(png(tmp_path / "whole.png", cut_out()).read_bytes())
    bomb[16:24] = (50_000).to_bytes(4, "big") * 2
    (tmp_path / "shown").write_bytes(bomb)
    assert "50000x50000 pixels, more than" in (examine_result(PAGE, tmp_path / "shown", None).fault or "")


def test_other_media_are_not_looked_into(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    assert examine_result(ANYTHING, shown, None) == ShownResult(MP4, None)


def test_palette_grey_and_16_bit_are_read_as_colours(tmp_path: Path) -> None:
    deep = cut_out().astype(np.uint16) * 257
    found = examine_result(PAGE, png(tmp_path / "shown", deep), png(tmp_path / "answer", cut_out()))  # type: ignore[arg-type]
    assert (found.fault, found.difference) == (None, 0)
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    as_colours = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
    found = examine_result(
        ANYTHING, png(tmp_path / "shown", grey), png(tmp_path / "answer", np.asarray(as_colours, np.uint8))
    )
    assert (found.fault, found.difference) == (None, 0)
