"""Text on pictures: always in letters of the font, never wider than its room."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from penstock.report.picture_text import clipped, drawable, readable, width_of, wrapped, write


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("≤ 9, no more than +5 %", "<= 9, no more than +5 %"),
        ("Łódź – Žofie", "Lodz - Zofie"),
        ("a sign: 欢迎光临。", "a sign: …"),
        ("欢迎 光临", "…"),
        ("two\nlines\u202e", "two lines\\u202e"),
        ("", ""),
    ],
)
def test_letters_that_the_font_lacks(text: str, drawn: str) -> None:
    assert drawable(text) == drawn


def test_readable() -> None:
    assert readable("größer → kleiner … ok")
    assert not readable("出口")


@settings(deadline=None, max_examples=30)
@given(st.text(max_size=40), st.integers(30, 400), st.integers(1, 3))
def test_no_line_is_wider_than_its_room(text: str, width: int, most: int) -> None:
    lines = wrapped(text, 18, width, most)
    assert len(lines) <= most
    assert all(width_of(line, 18) <= width for line in [*lines, clipped(text, 18, width)])


def test_lines_break_between_words() -> None:
    assert wrapped("one two three four", 18, width_of("one two", 18) + 1, 2) == ["one two", "three f…"]


def test_bold_is_darker() -> None:
    sums = []
    for bold in (False, True):
        image = Image.new("RGB", (120, 30), (255, 255, 255))
        write(ImageDraw.Draw(image), (2, 2), "rejected", 20, (0, 0, 0), bold=bold)
        sums.append(int(np.asarray(image).sum()))
    assert sums[1] < sums[0]
