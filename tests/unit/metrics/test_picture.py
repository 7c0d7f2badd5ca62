import weakref
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from penstock.foundation.errors import UsageError
from penstock.metrics.picture import Jitter, jitter, sharpness

SIDE = 256


@pytest.fixture(scope="module")
def scene():
    """A picture larger than the frame with detail at several scales, as a face before a room has."""
    random = np.random.default_rng(0)
    picture = np.full((SIDE * 2, SIDE * 2), 128, np.float32)
    for cells, strength in ((4, 60), (16, 40), (64, 20), (256, 20)):
        picture += (
            cv2.resize(
                random.normal(size=(cells, cells)).astype(np.float32), picture.shape, interpolation=cv2.INTER_CUBIC
            )
            * strength
        )
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    return cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)


def view(scene, x, y):
    """The frame-sized part of the scene whose corner is at a fractional position."""
    move = np.array([[1, 0, -x], [0, 1, -y]], np.float32)
    return cv2.warpAffine(scene, move, (SIDE, SIDE), flags=cv2.INTER_CUBIC)


def clip(scene, positions):
    return [view(scene, x, y) for x, y in positions]


def steady(n=16, speed=1.5):
    return [(40 + speed * t, 50 + 0.6 * speed * t) for t in range(n)]


def test_sharpness_falls_with_blur(scene):
    frames = clip(scene, steady(3))
    values = [sharpness([cv2.GaussianBlur(f, (0, 0), s) for f in frames]) for s in (0.5, 1.0, 2.0, 4.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 3 * values[-1]


def test_sharpness_is_the_variance_of_the_laplacian_by_its_definition(scene):
    frame = view(scene, 10, 20)
    luma = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(float)[30:90, 20:120]
    p = np.pad(luma, 1, mode="reflect")
    laplacian = p[:-2, 1:-1] + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] - 4 * luma
    assert sharpness([frame], (20, 30, 100, 60)) == pytest.approx(laplacian.var(), rel=1e-9)


def test_sharpness_looks_only_into_the_face_box(scene):
    frame = view(scene, 0, 0)
    blurred = cv2.GaussianBlur(frame, (0, 0), 5)
    outside = blurred.copy()
    outside[64:192, 64:192] = frame[64:192, 64:192]
    box = (64, 64, 128, 128)
    assert sharpness([outside], box) == sharpness([frame], box)
    assert sharpness([outside], box) > 3 * sharpness([blurred], box)


def test_sharpness_averages_over_frames_and_takes_a_stream(scene):
    frames = clip(scene, steady(4))
    assert sharpness(iter(frames)) == pytest.approx(np.mean([sharpness([f]) for f in frames]))
    assert sharpness([np.zeros((16, 16, 3), np.uint8)]) == 0.0


def test_a_box_that_reaches_out_is_cut_and_one_that_misses_is_refused(scene):
    frame = view(scene, 0, 0)
    assert sharpness([frame], (-20, -10, 84, 74)) == sharpness([frame], (0, 0, 64, 64))
    for box in ((300, 0, 50, 50), (0, 0, 0, 0), (-60, 0, 50, 50), (254, 10, 50, 50), (10, 10, -5, 20)):
        with pytest.raises(UsageError, match=r"face box .* fewer than 3x3 pixels of frame 0 \(256x256\)"):
            sharpness([frame], box)


def test_still_steady_and_fading_clips_have_little_jitter(scene):
    still = clip(scene, [(10, 10)] * 8)
    fade = [cv2.convertScaleAbs(still[0], alpha=1.0 - 0.02 * t) for t in range(16)]
    moving = jitter(clip(scene, steady()))
    assert jitter(still) == 0.0
    assert jitter(fade) < 0.5
    assert moving < 1.0, "of 255 levels"


def test_flicker_raises_jitter_in_proportion(scene):
    base = clip(scene, steady())
    values = [
        jitter([cv2.add(f, (level * (t % 2),) * 4) if level else f for t, f in enumerate(base)])
        for level in (0, 4, 8, 16)
    ]
    assert values == sorted(values)
    assert values[1] > values[0] + 2
    assert values[3] == pytest.approx(16 + values[0], abs=4)


def test_trembling_raises_jitter_though_motion_could_explain_it(scene):
    smooth = steady()
    trembling = [(x + (2 if t % 2 else -2), y) for t, (x, y) in enumerate(smooth)]
    assert jitter(clip(scene, trembling)) > 4 * jitter(clip(scene, smooth))


def test_noise_that_changes_from_frame_to_frame_raises_jitter(scene):
    random = np.random.default_rng(1)
    base = clip(scene, steady())
    noisy = [np.clip(f + random.normal(0, 12, f.shape), 0, 255).astype(np.uint8) for f in base]
    assert jitter(noisy) > 2 * jitter(base)


@pytest.mark.slow
def test_one_dropped_frame_in_a_motion_counts(scene):
    positions = steady(24, speed=3.0)
    frozen = [*positions[:12], positions[11], *positions[13:]]
    assert jitter(clip(scene, frozen)) > 1.2 * jitter(clip(scene, positions))


def test_jitter_takes_a_stream_and_holds_no_more_than_three_frames(scene):
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    def stream() -> Iterator[np.ndarray]:
        nonlocal most
        for x, y in steady(12):
            frame = view(scene, x, y)
            alive.append(weakref.ref(frame))
            most = max(most, sum(reference() is not None for reference in alive))
            yield frame
            del frame

    assert jitter(stream()) == jitter(clip(scene, steady(12)))
    assert most <= 3


@pytest.mark.parametrize("shape", [(1, 1), (3, 400), (400, 3), (16, 16), (61, 37)])
def test_jitter_works_at_any_frame_size(shape):
    random = np.random.default_rng(2)
    frames = [random.integers(0, 256, (*shape, 3), dtype=np.uint8) for _ in range(4)]
    assert 0 < jitter(frames) < 255


def test_what_is_no_clip_is_refused():
    frame = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(UsageError, match="at least three frames"):
        jitter([frame, frame])
    with pytest.raises(UsageError, match="frame 2 has the shape"):
        jitter([frame, frame, np.zeros((32, 30, 3), np.uint8)])
    with pytest.raises(UsageError, match="no frame"):
        sharpness([])
    for wrong in (
        frame[..., 0],
        frame.astype(np.float32),
        np.zeros((0, 32, 3), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
    ):
        with pytest.raises(UsageError, match="frame 0 is"):
            sharpness([wrong])
        with pytest.raises(UsageError, match="frame 0 is"):
            jitter([wrong, wrong, wrong])


def test_jitter_frame_by_frame_is_jitter_of_each_three():
    random = np.random.default_rng(5)
    ground = random.integers(0, 255, (160, 200, 3), dtype=np.uint8)
    frames = [np.roll(ground, (index * index % 7, 2 * index), axis=(0, 1)) for index in range(8)]
    watch = Jitter()
    values = [watch.look(frame) for frame in frames]
    assert values[:2] == [None, None]
    assert values[2:] == [jitter(frames[index : index + 3]) for index in range(6)]
    assert jitter(frames) == pytest.approx(np.mean(values[2:]))
    with pytest.raises(UsageError, match="frame 8 has the shape"):
        watch.look(frames[0][:100])
