"""The drawn talkers and the mouth tracks, without espeak-ng and without PyTorch."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from training.face import CANVAS, Face
from training.speech import Phoneme
from training.talker import crop_of, portrait, render
from training.visemes import defective, mouth_track, shapes_of

ASSETS = Path(__file__).resolve().parents[3] / "test-assets"


def said(*sounds: tuple[str, float]) -> list[Phoneme]:
    phonemes, at = [], 0.0
    for symbol, length in sounds:
        phonemes.append(Phoneme(at, at + length, symbol))
        at += length
    return phonemes


def test_lips_meet_in_p_and_open_in_a() -> None:
    track = mouth_track(said(("ɑː", 0.4), ("p", 0.08), ("ɑː", 0.4)), 22)
    assert track.dtype == np.float32
    assert track.shape == (22, 3)
    assert track[5, 0] > 0.9
    assert track[10:12, 0].min() < 0.1


def test_u_is_round_and_i_is_spread() -> None:
    track = mouth_track(said(("uː", 0.4), ("i", 0.4)), 20)
    assert track[4, 2] > 0.9
    assert track[4, 1] < -0.7
    assert track[15, 1] > 0.8
    assert track[15, 2] < 0.1


def test_track_has_no_lag() -> None:
    forwards = mouth_track(said(("", 0.4), ("a", 0.2), ("", 0.4)), 25)[:, 0]
    np.testing.assert_allclose(forwards, forwards[::-1], atol=0.02)


def test_diphthong_moves_and_silence_rests() -> None:
    assert len(shapes_of("aɪ")) == 2
    assert shapes_of("") == [(0.0, 0.0, 0.0)]
    assert mouth_track([], 10).max() == 0
    assert mouth_track([], 0).shape == (0, 3)


def test_defects_do_what_they_say() -> None:
    track = mouth_track(said(*[("a", 0.16), ("m", 0.16)] * 6), 48)
    damped = defective(track, damping=0.6)
    assert np.std(damped[:, 0]) == pytest.approx(0.6 * np.std(track[:, 0]), rel=1e-4)
    trailing = defective(track, lag=2.0)[:, 0]
    shifts = [np.corrcoef(trailing[6:], track[6 - by : len(track) - by, 0])[0, 1] for by in range(4)]
    assert int(np.argmax(shifts)) >= 1
    assert np.abs(np.diff(defective(track, smoothing=5)[:, 0])).max() < np.abs(np.diff(track[:, 0])).max()


@pytest.mark.parametrize("style", ["drawn", "warped"])
def test_only_a_moving_track_moves_the_mouth(style: str) -> None:
    face = Face.random(np.random.default_rng(3), style="drawn" if style == "drawn" else "warped")
    track = np.zeros((2, 3), np.float32)
    track[1, 0] = 1.0
    frames = render(face, track, np.random.default_rng(0), motion=0.0, jitter=0.0).astype(np.int16)
    assert frames.shape == (2, 224, 224, 3)
    change = np.abs(frames[1] - frames[0]).max(axis=2) > 12
    rows, columns = np.nonzero(change)
    assert len(rows) > 300
    left, top, side = crop_of(face.box)
    x, y = (face.mouth.x - left) * 224 / side, (face.mouth.y - top) * 224 / side
    assert abs(columns.mean() - x) < 12
    assert -5 < rows.mean() - y < 45
    assert rows.min() > y - 30


@pytest.mark.slow
def test_same_seed_same_person_and_video() -> None:
    track = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3)
    videos = [render(Face.random(np.random.default_rng(9)), track, np.random.default_rng(1)) for _ in range(2)]
    np.testing.assert_array_equal(videos[0], videos[1])
    other = render(Face.random(np.random.default_rng(10)), track, np.random.default_rng(1))
    assert (other != videos[0]).mean() > 0.5


def test_photograph_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=f"{CANVAS} x {CANVAS}"):
        Face.from_image(np.zeros((10, 10, 3), np.uint8), (0, 0, 5, 5), (5, 5, 2))


@pytest.mark.slow
def test_committed_portraits_are_the_drawn_ones_and_show_one_face() -> None:
    from training.make_portraits import SEEDS

    detector = cv2.CascadeClassifier(
        os.fspath(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml")
    )
    for path in sorted((ASSETS / "portraits").glob("*.png")):
        grey = np.asarray(cv2.imread(os.fspath(path), cv2.IMREAD_GRAYSCALE))
        assert len(detector.detectMultiScale(grey, 1.1, 5, minSize=(120, 120))) == 1, path.name
    drawn = portrait(Face.random(np.random.default_rng(SEEDS[0]))).astype(np.int16)
    committed = np.asarray(cv2.imread(os.fspath(ASSETS / "portraits" / "drawn-01.png"))).astype(np.int16)
    assert np.abs(drawn - committed).mean() < 1.0
