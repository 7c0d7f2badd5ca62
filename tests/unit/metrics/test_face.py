"""The reference's face crop, and finding and following a face."""

import cv2
import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UsageError
from penstock.metrics import face
from penstock.metrics.face import Box, FaceTrack


def reference_crop(image, half, x, y):
    """As joonson's syncnet_python writes it: a border around the whole frame, then slices."""
    pad = int(half * 1.8)
    padded = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(110, 110, 110))
    my, mx = y + pad, x + pad
    y1, y2 = int(my - half), int(my + half * 1.8)
    x1, x2 = int(mx - half * 1.4), int(mx + half * 1.4)
    return cv2.resize(padded[y1:y2, x1:x2], (224, 224))


@given(st.floats(2, 90), st.floats(0, 119.9), st.floats(0, 89.9))
def test_crop_is_the_references(half, x, y):
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    assert (face.crop(image, half, x, y) == reference_crop(image, half, x, y)).all()


def test_fixed_box():
    image = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    crops = list(face.crop_with_box([image, image], face.parse_box("30, 20,40,50")))
    assert len(crops) == 2
    assert (crops[0] == reference_crop(image, 25.0, 50.0, 45.0)).all()


@pytest.mark.parametrize(
    "text", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,0,0,9", "0,0,9,-1", "nan,0,9,9", "0,0,1e9,1e9"]
)
def test_boxes_that_are_none(text):
    with pytest.raises(UsageError, match="box"):
        face.parse_box(text)


@pytest.mark.parametrize("text", ["200,0,40,40", "-90,-90,40,40", "-500,-500,1060,1045"])
def test_boxes_that_do_not_fit(text):
    with pytest.raises(UsageError, match="does not fit the picture of 120x90"):
        list(face.crop_with_box([np.zeros((90, 120, 3), np.uint8)], face.parse_box(text), where="clip.mp4"))


def test_track_is_median_filtered_as_the_reference_does():
    random = np.random.default_rng(0)
    image = random.integers(0, 255, (90, 120, 3), dtype=np.uint8)
    sides = [(40 + random.normal(0, 2), 30 + random.normal(0, 2)) for _ in range(40)]
    track = FaceTrack(3, tuple(Box(x, y, x + 30, y + 36) for x, y in sides))
    x = scipy.signal.medfilt([x + 15 for x, _ in sides], 13)
    y = scipy.signal.medfilt([y + 18 for _, y in sides], 13)
    half = scipy.signal.medfilt([18.0] * 40, 13)
    crops = list(face.crop_with_track([image] * 60, track))
    assert len(crops) == 40
    for index in (0, 20, 39):
        assert (crops[index] == reference_crop(image, half[index], x[index], y[index])).all()


def test_following_one_face_among_others():
    steady = [Box(10 + n, 10, 60 + n, 60) for n in range(30)]
    found = [[box] if n not in (4, 5, 17) else [] for n, box in enumerate(steady)]
    found[8].append(Box(100, 100, 180, 180))  # a larger one, once
    tracks = face.link(found)
    assert sorted(len(track) for track in tracks) == [1, 27]
    filled = face._interpolated(max(tracks, key=len))
    assert filled.first == 0
    assert filled.boxes[4].left == pytest.approx(14)
    assert len(filled.boxes) == 30


def test_two_faces_do_not_swap():
    left, right = Box(0, 0, 50, 50), Box(20, 0, 70, 50)
    tracks = face.link([[left, right], [right, left], [left, right]])
    assert [[box for _, box in track] for track in tracks] == [[left] * 3, [right] * 3]


def test_a_face_that_comes_back_late_is_another_track():
    box = Box(0, 0, 50, 50)
    assert len(face.link([[box], *[[]] * 30, [box]])) == 2


def test_no_face_says_what_to_do():
    frames = [np.full((120, 160, 3), 90, np.uint8)] * 4
    with pytest.raises(UsageError, match="no face was found") as caught:
        face.find_track(frames, where="empty.mp4")
    assert "--face-box" in caught.value.todo
    with pytest.raises(UsageError, match="no frame"):
        face.find_track([])


def drawn_face(shift=0, size=240):
    """A face of ovals and shadows that the cascade takes for one, moved right by ``shift`` pixels."""
    image = np.full((size, size + 80, 3), 200, np.uint8)
    x, y = size // 2 + 40 + shift, size // 2

    def oval(right, down, width, height, colour):
        cv2.ellipse(image, (x + right, y + down), (width, height), 0, 0, 360, colour, -1)

    oval(0, -10, 72, 92, (40, 50, 70))
    oval(0, 0, 62, 84, (150, 175, 215))
    for side in (-1, 1):
        oval(26 * side, -20, 20, 13, (105, 125, 160))
        oval(26 * side, -18, 13, 6, (60, 60, 70))
        oval(26 * side, -36, 19, 4, (50, 60, 80))
    oval(0, 10, 7, 22, (175, 200, 240))
    oval(0, 28, 12, 5, (110, 130, 170))
    oval(0, 50, 24, 7, (80, 80, 140))
    return cv2.GaussianBlur(image, (0, 0), 2)


def test_a_drawn_face_is_found_and_followed():
    track = face.find_track([drawn_face(2 * n) for n in range(8)])
    assert len(track.boxes) >= 6
    for number, box in enumerate(track.boxes, track.first):
        assert abs((box.left + box.right) / 2 - (160 + 2 * number)) < 15
        assert abs((box.top + box.bottom) / 2 - 120) < 35
