from __future__ import annotations

import cv2
import numpy as np
import pytest
from sonic_lite.animate import Animator
from sonic_lite.motion import Motion
from sonic_lite.portrait import Anatomy, FaceLocator, decode
from tests.sonic_lite.talking_head_service import ASSETS
from training.make_portraits import SEEDS
from training.talker import CANVAS, Face


@pytest.fixture(scope="module")
def locator() -> FaceLocator:
    return FaceLocator()


def portrait(name: str, size: int = 256) -> np.ndarray:
    return decode((ASSETS / "portraits" / f"{name}.png").read_bytes(), size)


def test_the_mouth_is_found_where_it_was_drawn(locator: FaceLocator) -> None:
    for number, seed in enumerate(SEEDS, start=1):
        true = Face.random(np.random.default_rng(seed)).mouth
        found = locator.locate(portrait(f"drawn-{number:02d}"))
        scale = 256 / CANVAS
        assert found.mouth_x == pytest.approx(true.x * scale, abs=3)
        assert found.mouth_y == pytest.approx(true.y * scale, abs=3)
        assert found.half_width == pytest.approx(true.half_width * scale, rel=0.2)


def test_the_mouth_of_a_photograph_is_found(locator: FaceLocator) -> None:
    found = locator.locate(portrait("astronaut"))
    assert (found.mouth_x, found.mouth_y) == (pytest.approx(128, abs=5), pytest.approx(122, abs=5))


def test_where_no_face_is_seen_the_middle_is_taken(locator: FaceLocator) -> None:
    found = locator.locate(np.full((128, 128, 3), 127, np.uint8))
    assert 50 < found.mouth_x < 78
    assert 64 < found.mouth_y < 90


@pytest.mark.parametrize("shape", [(300, 200, 3), (200, 300), (64, 64, 4)])
def test_a_picture_of_any_shape_becomes_a_square(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    assert decode(cv2.imencode(".png", pixels)[1].tobytes(), 96).shape == (96, 96, 3)


def frames(image: np.ndarray, anatomy: Anatomy, *shapes: tuple[float, float, float]) -> list[np.ndarray]:
    count = len(shapes)
    motion = Motion(np.array(shapes, np.float32), np.ones(count, np.float32), np.zeros((count, 4), np.float32))
    return [frame.astype(np.float32) for frame in Animator(image, anatomy, 0.18).frames(motion)]


def test_only_the_lower_face_moves_and_more_the_wider_the_mouth(locator: FaceLocator) -> None:
    image = portrait("drawn-03")
    anatomy = locator.locate(image)
    rest, half, wide, rounded = frames(image, anatomy, (0, 0, 0), (0.5, 0, 0), (1, 0, 0), (0.3, -0.6, 1))
    x, y, reach = int(anatomy.mouth_x), int(anatomy.mouth_y), int(anatomy.half_width)
    mouth = np.s_[y - reach : y + reach, x - reach : x + reach]
    change = [float(np.abs(frame[mouth] - rest[mouth]).mean()) for frame in (half, wide, rounded)]
    assert 2 < change[0] < change[1]
    assert change[2] > 2
    eyes = np.s_[: int(y - 2.2 * reach)]
    assert np.abs(wide[eyes] - rest[eyes]).max() == 0
    # Open, the middle of the mouth is dark below the teeth.
    below = np.s_[y + reach // 4 : y + reach // 2, x - 2 : x + 3]
    assert wide[below].mean() < rest[below].mean() - 20


def test_a_face_at_the_edge_of_the_picture_is_no_problem(locator: FaceLocator) -> None:
    image = portrait("drawn-02")
    for x, y in ((0.0, 0.0), (255.0, 255.0), (128.0, 254.0)):
        made = frames(image, Anatomy((x, y, 100.0), x, y, 20.0), (1, 1, 0), (0.2, -1, 1))
        assert all(frame.shape == image.shape for frame in made)
