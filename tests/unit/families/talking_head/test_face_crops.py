"""Which face of a video its lip sync is of."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from penstock.families.talking_head import face_crops
from penstock.families.talking_head.face_crops import Face, choose_face
from penstock.foundation.errors import UsageError
from penstock.metrics.face import CROP_SIZE, Box, FaceTrack

Frame = npt.NDArray[np.uint8]


def frames(width: int, height: int, count: int = 3) -> list[Frame]:
    return [np.full((height, width, 3), 10 * number, np.uint8) for number in range(count)]


def never() -> Iterator[Frame]:
    raise AssertionError("the face was searched")


@pytest.mark.parametrize("size", [(CROP_SIZE, CROP_SIZE), (320, 240)])
def test_a_box_is_believed_whatever_the_size(size: tuple[int, int]) -> None:
    box = Box(10, 20, 110, 140)
    face = choose_face(*size, box, never)
    assert (face, face.first, face.frames) == (Face(box), 0, None)
    crops = list(face.crops(frames(*size)))
    assert [crop.shape for crop in crops] == [(CROP_SIZE, CROP_SIZE, 3)] * 3
    assert [crop[CROP_SIZE // 2, CROP_SIZE // 2, 0] for crop in crops] == [0, 10, 20]


def test_a_video_of_the_crops_size_is_a_finished_crop() -> None:
    face = choose_face(CROP_SIZE, CROP_SIZE, None, never)
    assert (face.box, face.first, face.frames) == (None, 0, None)
    given = frames(CROP_SIZE, CROP_SIZE)
    assert all(crop is frame for crop, frame in zip(face.crops(given), given, strict=True))


def test_in_any_other_the_face_is_searched_and_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    track = FaceTrack(1, (Box(0, 0, 100, 100), Box(20, 20, 120, 120), Box(40, 40, 140, 140)))
    asked: list[str] = []

    def found(_frames: object, *, where: str) -> FaceTrack:
        asked.append(where)
        return track

    monkeypatch.setattr(face_crops, "find_track", found)
    face = choose_face(320, 240, None, lambda: frames(320, 240), where="v.mp4")
    assert (face.first, face.frames, face.box, asked) == (1, 3, Box(20, 20, 120, 120), ["v.mp4"])
    assert [crop[112, 112, 0] for crop in face.crops(frames(320, 240, 5))] == [10, 20, 30]


def test_a_video_without_a_face_is_refused() -> None:
    with pytest.raises(UsageError, match=r"v\.mp4"):
        choose_face(320, 240, None, lambda: frames(320, 240), where="v.mp4")
