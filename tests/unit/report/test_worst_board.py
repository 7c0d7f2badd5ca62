"""The picture of the worst case."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.report.cases import CaseRow, number
from penstock.report.exhibits import Exhibit, FrameCourse, Moment
from penstock.report.picture_board import BLUE
from penstock.report.picture_text import RED
from penstock.report.still_pictures import MarkedWord, Marks
from penstock.report.worst_board import WIDTH, BoardWords, worst_board
from penstock.report.worst_case import WorstCase

GREY = np.full((64, 64, 3), 128, np.uint8)


def worst(after: float | None = 9.5, before: float | None = 7.0, status: str = "ok", error: str = "") -> WorstCase:
    value = number("lse_d", after, before)
    change = (after or 0.0) - (before or 0.0)
    row = CaseRow("bad", [], status, error, [value], change, "lse_d", change, "lse_d")
    return WorstCase(row, value, "LSE-D rose", "≤ 9", {})


def words(verdict: str = "fail", *sides: str) -> BoardWords:
    return BoardWords("sonic 2: rejected", verdict, dict.fromkeys(sides or ("baseline", "candidate"), "1.0.0"), 12)


def drawn(case: WorstCase, shown: Exhibit, about: BoardWords) -> np.ndarray:
    image = worst_board(case, shown, about)
    assert image.width == WIDTH
    assert 200 < image.height < 1000
    return np.asarray(image)


def has(pixels: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((pixels == colour).all(axis=2).any())


BOTH = Exhibit({"baseline": GREY, "candidate": GREY}, {"baseline": GREY[:8], "candidate": GREY[:8]}, None, "mouth")


def test_both_sides_stand_side_by_side() -> None:
    pixels = drawn(worst(), BOTH, words())
    left, right = pixels[:, : WIDTH // 2], pixels[:, WIDTH // 2 :]
    grey = [int((half == 128).all(axis=2).sum()) for half in (left, right)]
    assert grey[0] == pytest.approx(grey[1], rel=0.01)
    assert grey[0] > 100_000


def test_what_worsened_is_red_on_the_candidates_side_alone() -> None:
    pixels = drawn(worst(), BOTH, words())[60:]
    assert not has(pixels[:, : WIDTH // 2], RED)
    assert has(pixels[:, WIDTH // 2 :], RED)
    assert not has(drawn(worst(7.0), BOTH, words())[60:], RED)
    assert not has(drawn(worst(), BOTH, words("pass")), RED)  # an accepted release alarms nobody


def test_a_case_without_an_answer_says_why() -> None:
    with_reason = drawn(worst(None, status="failed", error="answered 500"), Exhibit({"baseline": GREY}), words())
    without = drawn(worst(None, status="failed"), Exhibit({"baseline": GREY}), words())
    assert with_reason.shape == without.shape
    assert (with_reason != without).any()


def test_a_first_release_has_one_side(tmp_path: object) -> None:
    pixels = drawn(
        worst(before=None), Exhibit({"candidate": np.full((50, 200, 3), 128, np.uint8)}), words("fail", "candidate")
    )
    assert (pixels[:, 300:700] == 128).all(axis=2).any()


def test_words_and_places_are_drawn() -> None:
    marks = dict.fromkeys(("baseline", "candidate"), Marks([], [MarkedWord("missed: cat", "missed")]))
    shown = Exhibit(dict(BOTH.whole), marks=marks)
    assert has(drawn(worst(7.0), shown, words())[400:], RED)
    ringed = Exhibit(dict(BOTH.whole), dict(BOTH.detail), (0.2, 0.2, 0.4, 0.2), "worst edge")
    assert has(drawn(worst(7.0), ringed, words())[100:], RED)


def test_the_moment_is_named() -> None:
    early, late = (Exhibit(dict(BOTH.whole), moment=Moment(frame, 25.0)) for frame in (3, 40))
    assert (drawn(worst(), early, words()) != drawn(worst(), late, words())).any()


def test_the_course_over_time_stands_below() -> None:
    course = FrameCourse("sync distance", 2, {"candidate": [1.0, None, 9.0, 1.0], "baseline": [2.0, 2.0]})
    moment = Moment(4, 25.0)
    without = drawn(worst(7.0), Exhibit(dict(BOTH.whole), moment=moment), words())
    pixels = drawn(worst(7.0), Exhibit(dict(BOTH.whole), moment=moment, course=course), words())
    assert pixels.shape[0] > without.shape[0] + 80
    assert has(pixels, BLUE)
    assert has(pixels[100:], RED)
    flat = FrameCourse("jitter", 0, {"candidate": [0.0]})
    assert drawn(worst(7.0), Exhibit(dict(BOTH.whole), moment=moment, course=flat), words()).shape == pixels.shape
