"""The face crop and the track through a clip against syncnet-python's own, on frames of odd sizes.

Needs the parity environment (syncnet-python, FFmpeg on the PATH): its ``python -m pytest tests/parity``.
"""

import cv2
import numpy as np
import pytest
from syncnet_python import syncnet_pipeline
from syncnet_python.syncnet_pipeline import PipelineConfig, SyncNetPipeline
from tests.parity.odd_clips import moving
from tests.parity.syncnet_reference import run

from penstock.metrics.face import Box, FaceTrack, _interpolated, crop_with_box, crop_with_track, link


class Recorder:
    """Writes as the reference's XVID writer does, and keeps what it is given, without loss."""

    def __init__(self, writer, crops):
        self.writer, self.crops = writer, crops

    def write(self, crop):
        self.crops.append(crop.copy())
        self.writer.write(crop)

    def release(self):
        self.writer.release()


@pytest.fixture
def pipeline():
    """The reference's pipeline without its networks."""
    made = object.__new__(SyncNetPipeline)
    made.cfg = PipelineConfig()
    return made


@pytest.fixture
def cropped(pipeline, tmp_path, monkeypatch):
    """The reference's crops of frames around boxes, the first of them in a frame of that number."""

    def crops(frames, boxes, first=0):
        names = [str(tmp_path / f"{number:06d}.png") for number in range(len(frames))]
        for name, frame in zip(names, frames, strict=True):
            cv2.imwrite(name, frame)
        run("-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", "2", tmp_path / "sound.wav")
        kept, writer = [], cv2.VideoWriter
        monkeypatch.setattr(syncnet_pipeline.cv2, "VideoWriter", lambda *how: Recorder(writer(*how), kept))
        track = {"frame": np.arange(first, first + len(boxes)), "bbox": np.array(boxes, float)}
        pipeline._crop(track, names, tmp_path / "sound.wav", tmp_path / "cropped" / "00000")
        return np.stack(kept)

    return crops


@pytest.mark.parametrize(("width", "height"), [(320, 240), (321, 241), (199, 355), (64, 48), (1001, 37)])
@pytest.mark.parametrize("box", ["inside", "over the edge", "large", "fraction"])
def test_crop_of_a_fixed_box(cropped, width, height, box):
    frames = list(moving(8, width, height))
    side = min(width, height)
    sides = {
        "inside": (width // 4, height // 4, width // 2, height // 2),
        "over the edge": (-side // 5, height // 2, side // 2, height // 2),
        "large": (0, 0, width, height),
        "fraction": (width / 3, height / 5, width / 2.7, height / 1.9),
    }[box]
    left, top, wide, high = sides
    # Each end of the reference's median filter sees zeros: only frames 6 and later of more than 13 keep their box
    boxes = [(left, top, left + wide, top + high)] * 18
    theirs = cropped([frames[number % 8] for number in range(18)], boxes)[6:12]
    same = [frames[number % 8] for number in range(6, 12)]
    mine = list(crop_with_box(same, Box(left, top, left + wide, top + high)))
    assert (np.stack(mine) == theirs).all()


@pytest.mark.parametrize("first", [0, 3])
def test_crop_along_a_track(cropped, first):
    random = np.random.default_rng(first)
    frames = list(moving(24, 321, 241))
    at = random.normal(0, 6, (21 - first, 2)).cumsum(axis=0) + np.array([120, 90])
    boxes = [(x, y, x + 83.5 + n / 3, y + 80) for n, (x, y) in enumerate(at)]
    track = FaceTrack(first, tuple(Box(*box) for box in boxes))
    mine = np.stack(list(crop_with_track(iter(frames), track)))
    assert (mine == cropped(frames, boxes, first)).all()


def test_track_through_frames_without_a_find(pipeline):
    """The reference joins finds of the same face over gaps, and fills them; so does Penstock."""
    random = np.random.default_rng(1)
    at = random.normal(0, 1.5, (90, 2)).cumsum(axis=0) + np.array([120, 90])
    seen = [number for number in range(90) if number % 7 and not 40 <= number < 52]
    boxes = {number: Box(x, y, x + 130, y + 140) for number, (x, y) in enumerate(at) if number in seen}
    found = [[boxes[number]] if number in boxes else [] for number in range(90)]
    (mine,) = link(found)
    shapes = [[{"frame": n, "bbox": [b.left, b.top, b.right, b.bottom]} for b in each] for n, each in enumerate(found)]
    (theirs,) = pipeline._track(shapes)
    track = _interpolated(mine)
    assert track.first == theirs["frame"][0]
    assert len(track.boxes) == len(theirs["frame"])
    sides = [(box.left, box.top, box.right, box.bottom) for box in track.boxes]
    assert np.array(sides) == pytest.approx(theirs["bbox"], rel=1e-9)


def test_a_short_track_is_no_track_for_the_reference(pipeline):
    """Then its pipeline says LSE-D 0 and LSE-C 0, the best LSE-D there is; Penstock takes the missing value for a
    failure.
    """
    found = [[Box(100, 100, 230, 240)]] * 50
    shapes = [[{"frame": n, "bbox": [b.left, b.top, b.right, b.bottom]} for b in each] for n, each in enumerate(found)]
    assert pipeline._track(shapes) == []
    assert len(_interpolated(link(found)[0]).boxes) == 50
