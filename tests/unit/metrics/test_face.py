"""The reference's face crop, and finding and following a face."""

import cv2
import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.metrics.drawn_faces import drawn_face

from penstock.foundation.errors import UsageError
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_drawn_face_is_found_and_followed():
    track = face.find_track([drawn_face(2 * n) for n in range(8)])
    assert len(track.boxes) >= 6
    for number, box in enumerate(track.boxes, track.first):
        assert abs((box.left + box.right) / 2 - (160 + 2 * number)) < 15
        assert abs((box.top + box.bottom) / 2 - 120) < 35


@pytest.mark.slow
def test_every_face_is_a_track_of_its_own():
    """One stays, a smaller one leaves after a second."""
    large, small = (cv2.resize(drawn_face(), size, interpolation=cv2.INTER_AREA) for size in ((160, 120), (120, 90)))
    frames = []
    for number in range(32):
        image = np.full((120, 320, 3), 200, np.uint8)
        image[:, 160:] = large
        if number < 26:
            image[15:105, 15:135] = small
        frames.append(image)
    first, second = face.find_tracks(frames)
    assert (len(first.boxes), len(second.boxes)) == (32, 26)
    assert first.median_box().left > 160 > second.median_box().right
    assert first == face.find_track(frames)
    with pytest.raises(UsageError, match="no face was found"):
        face.find_tracks([np.full((120, 160, 3), 90, np.uint8)] * 4, where="empty.mp4")
