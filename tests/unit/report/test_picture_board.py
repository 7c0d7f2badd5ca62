"""Laying pictures onto a white one."""

from __future__ import annotations

import io
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from penstock.report.picture_board import Board, fitted, mark_boxes, png_within, ring, rows_of
from penstock.report.picture_text import width_of
from penstock.report.still_pictures import MarkedBox, Marks


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    found = image.getpixel((x, y))
    assert isinstance(found, tuple)
    return found


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([(), (3,), (4,)]))
def test_pictures_fit_and_keep_their_shape(width: int, height: int, more: tuple[int, ...]) -> None:
    image = fitted(np.full((height, width, *more), 128, np.uint8), 100, 60)
    assert image.mode == "RGB"
    assert image.width <= 100
    assert image.height <= 60
    scale = min(100 / width, 60 / height, 8)
    assert abs(image.width - width * scale) <= 1
    assert abs(image.height - height * scale) <= 1


def test_colours_stay_and_what_is_see_through_lies_over_checks() -> None:
    cutout = np.zeros((40, 40, 4), np.uint8)
    cutout[:, 20:] = (200, 100, 50, 255)
    cutout[:, :20, :3] = (0, 0, 255)  # a colour that is not to be seen
    image = fitted(cutout, 40, 40)
    assert pixel(image, 30, 30) == (50, 100, 200)
    assert {pixel(image, 3, 3), pixel(image, 15, 3)} == {(255, 255, 255), (218, 221, 227)}
    assert pixel(fitted(np.full((4, 4, 3), (200, 100, 50), np.uint8), 4, 4), 1, 1) == (50, 100, 200)


def test_boxes_are_coloured_by_what_they_are() -> None:
    image = Image.new("RGB", (100, 100), (255, 255, 255))
    boxes = [MarkedBox(0.1, 0.5, 0.2, 0.3, "cat", "right"), MarkedBox(0.5, 0.5, 0.3, 0.3, "出口", "wrong")]
    mark_boxes(image, Marks(boxes, []))
    assert pixel(image, 10, 70) == (24, 122, 60)
    assert pixel(image, 50, 70) == (190, 30, 30)
    assert pixel(image, 12, 35) == (24, 122, 60)  # its label
    assert pixel(image, 52, 35) == (255, 255, 255)  # no label that would be empty boxes


def test_boxes_of_a_hostile_answer_break_nothing() -> None:
    image = Image.new("RGB", (50, 50))
    mark_boxes(
        image,
        Marks([MarkedBox(1.5, -1.5, -9.0, 1e9, "x" * 200, "plain"), MarkedBox(nan, 0, inf, nan, "", "plain")], []),
    )
    ring(image, (0.0, 0.0, 1.0, 1.0))
    assert pixel(image, 1, 25) == (190, 30, 30)


@pytest.mark.slow
def test_a_png_within_its_size() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 1000, 3), np.uint8))
    content = png_within(noise, 15_000, 600)
    assert len(content) <= 15_000
    with Image.open(io.BytesIO(content)) as small:
        assert 600 <= small.width < 1000
        assert small.height == round(20 * small.width / 1000)
    with Image.open(io.BytesIO(png_within(Image.new("RGB", (700, 9)), 10_000, 600))) as whole:
        assert (whole.mode, whole.size) == ("RGB", (700, 9))


@pytest.mark.parametrize("most", [1, 2])
def test_words_in_rows(most: int) -> None:
    words = [(f"word-{n}", (0, 0, 0)) for n in range(30)]
    rows = rows_of(words, 18, 300, most)
    assert len(rows) == most
    assert all(left + width_of(text, 18) <= 300 for row in rows for text, _, left in row)
    assert rows[0][0][0] == "word-0"


def test_a_reason_stands_in_its_box() -> None:
    board = Board(300, 100)
    board.reason((0, 0, 300, 100), "the answer is no picture")
    assert pixel(board.image, 10, 10) == (244, 245, 247)
    assert np.asarray(board.image)[20:80].min() < 150
