"""What a clip is compared with is held to fit it before any model is started."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.matting.drawn_clips import VP9, discs, write_clip, write_cutouts

from penstock.families.matting.clip_files import check_clip, is_clip, read_known_clip
from penstock.foundation.errors import UsageError


def clip(path: Path, frames: int = 4, size: tuple[int, int] = (80, 60)) -> Path:
    pixels = [np.full((size[1], size[0], 3), 90, np.uint8)] * frames
    return write_clip(path, pixels, codec="libx264", pix_fmt="yuv420p", source="rgb24")


def test_frames_come_together(tmp_path: Path) -> None:
    trimap = [np.pad(np.full((10, 80), 128, np.uint8), ((0, 50), (0, 0)))] * 4
    blue = [np.dstack([frame, frame, 255 - frame * 0]) for frame in discs()]
    files = {
        "truth": (write_clip(tmp_path / "t.mkv", discs()),),
        "trimap": (write_clip(tmp_path / "m.mkv", trimap),),
        "foreground": (write_clip(tmp_path / "f.mov", blue, codec="png", pix_fmt="rgb24", source="rgb24"),),
    }
    found = list(read_known_clip(files))
    assert len(found) == 4
    np.testing.assert_array_equal(found[3].truths[0], discs()[3] / 255)
    assert found[3].unknown is not None
    assert found[3].unknown.sum() == 800
    assert found[3].foreground is not None
    assert found[3].foreground[0, 0].tolist() == [0, 0, 255]
    check_clip({"video": clip(tmp_path / "v.mp4")}, files)


@pytest.mark.parametrize(
    ("video", "what"),
    [
        ((5, (80, 60)), "'t.mkv' has 4 frames, and the clip that the model gets has 5"),
        ((4, (60, 80)), "'t.mkv' is 80x60 pixels, and the clip that the model gets, upright, is 60x80"),
    ],
)
def test_another_length_or_size_than_the_input(tmp_path: Path, video: tuple[int, tuple[int, int]], what: str) -> None:
    files = {"truth": (write_clip(tmp_path / "t.mkv", discs()),)}
    with pytest.raises(UsageError, match=what):
        check_clip({"video": clip(tmp_path / "v.mp4", *video)}, files)


def test_what_is_no_truth_of_a_clip(tmp_path: Path) -> None:
    one = {"truth": (write_clip(tmp_path / "one.mkv", discs(1)),)}
    with pytest.raises(UsageError, match=r"'one.mkv' has 1 frame, and a clip has two at least"):
        check_clip({}, one)
    blurred = {"truth": (write_cutouts(tmp_path / "t.webm", discs(), **VP9),)}
    with pytest.raises(UsageError, match="codec vp9, which changes what it stores"):
        check_clip({}, blurred)
    wrong = write_clip(tmp_path / "m.mkv", [np.full((60, 80), 127, np.uint8)] * 4)
    trimap = {"truth": (write_clip(tmp_path / "t.mkv", discs()),), "trimap": (wrong,)}
    with pytest.raises(UsageError, match="no pixel of frame 1 of the trimap is 128"):
        check_clip({}, trimap)


def test_a_clip_is_told_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert not is_clip(tmp_path / "a.mkv")
    assert is_clip(write_clip(tmp_path / "b.png.mkv", discs()))
