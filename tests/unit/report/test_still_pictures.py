"""Pictures for a page: small, and with the colours that they had."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from penstock.report.still_pictures import SHOWN_PIXELS, THUMB_PIXELS, encoded, shrunk, thumbnail


def decoded(data: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3), (9, 7, 4)])
def test_a_small_picture_stays_as_it_is(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    data, size = encoded(picture, photo=False)
    assert size == (7, 9)
    assert np.array_equal(decoded(data), picture)


def test_a_large_one_is_scaled_by_area_and_says_how_large_it_was() -> None:
    picture = np.zeros((2 * SHOWN_PIXELS, 4), np.uint8)
    picture[::2] = 200
    data, size = encoded(picture, photo=False)
    assert size == (4, 2 * SHOWN_PIXELS)
    assert decoded(data).shape == (SHOWN_PIXELS, 2)
    assert (decoded(data) == 100).all()
    assert shrunk(np.zeros((1, 3 * SHOWN_PIXELS))).shape == (1, SHOWN_PIXELS)


def test_what_is_transparent_does_not_colour_what_stands_beside_it() -> None:
    picture = np.zeros((2 * SHOWN_PIXELS, 2, 4), np.uint8)
    picture[::2] = (10, 20, 250, 255)  # the rows between are transparent black
    data, _ = encoded(picture, photo=False)
    assert (decoded(data) == (10, 20, 250, 128)).all()


def test_a_photo_is_a_jpeg() -> None:
    data, _ = encoded(np.full((8, 8, 3), 90, np.uint8), photo=True)
    assert data.startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
def test_a_thumbnail_is_small_and_keeps_alpha_exactly(channels: tuple[int, ...]) -> None:
    picture = np.full((4 * THUMB_PIXELS, THUMB_PIXELS, *channels), 100, np.uint8)
    if channels == (4,):
        picture[:, : THUMB_PIXELS // 2, 3] = 0
    data, size = thumbnail(picture)
    assert size == (THUMB_PIXELS // 4, THUMB_PIXELS)
    assert len(data) < 2000
    found = decoded(data)
    assert found.shape[:2] == (THUMB_PIXELS, THUMB_PIXELS // 4)
    assert found[:, -1, :3].astype(int) == pytest.approx(100, abs=3)
    if channels == (4,):
        assert (found[:, : THUMB_PIXELS // 8, 3] == 0).all()
        assert (found[:, THUMB_PIXELS // 8 :, 3] == 100).all()
