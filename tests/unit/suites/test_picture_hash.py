"""Pictures of the same are near, others are not."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.media.images import read_image
from penstock.suites.picture_hash import BITS, NEAR, near_pairs, picture_hash

ASSETS = Path(__file__).resolve().parents[3] / "test-assets"
PICTURES = sorted([*(ASSETS / "photographs").glob("*.[jp]*g"), *(ASSETS / "portraits").glob("*.png")])
Picture = np.ndarray


def jpeg(picture: Picture) -> Picture:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR))


def half(picture: Picture) -> Picture:
    return cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_CUBIC)


def brighter(picture: Picture) -> Picture:
    return np.clip(picture * 1.2, 0, 255).astype(np.uint8)


def noisy(picture: Picture) -> Picture:
    return np.clip(picture + np.random.default_rng(1).normal(0, 10, picture.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    assert len(PICTURES) >= 12
    return [read_image(file) for file in PICTURES]


@pytest.mark.slow
@pytest.mark.parametrize("change", [jpeg, half, brighter, noisy])
def test_the_same_picture_is_near(pictures: list[Picture], change: Callable[[Picture], Picture]) -> None:
    apart = [(picture_hash(picture) ^ picture_hash(change(picture))).bit_count() for picture in pictures]
    assert max(apart) <= NEAR


@pytest.mark.slow
def test_another_picture_is_not(pictures: list[Picture]) -> None:
    hashes = [picture_hash(picture) for picture in pictures]
    hashes += [picture_hash(np.ascontiguousarray(picture[:, ::-1])) for picture in pictures]
    assert min((one ^ other).bit_count() for one, other in combinations(hashes, 2)) >= 20


def test_a_picture_of_one_colour() -> None:
    assert {picture_hash(np.full((40, 50, 3), grey, np.uint8)) for grey in (0, 127, 255)} == {0}


def test_many_pictures_are_not_compared_all_at_once() -> None:
    """Pairs of a thousand with a million would take gigabytes."""
    many = list(range(1 << 16))
    tracemalloc.start()
    found = next(near_pairs(many[:1000], many))
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == (0, 0)
    assert used < 200 << 20


@given(st.lists(st.integers(0, 2**BITS - 1), max_size=8), st.lists(st.integers(0, 2**BITS - 1), max_size=8))
def test_all_near_pairs_are_found(ours: list[int], theirs: list[int]) -> None:
    theirs += [one ^ 0b111111 for one in ours] + [one ^ 0b1111111 for one in ours]
    expected = [
        (i, j) for i, one in enumerate(ours) for j, other in enumerate(theirs) if (one ^ other).bit_count() <= NEAR
    ]
    assert list(near_pairs(ours, theirs)) == expected
    assert len(expected) >= len(ours)
