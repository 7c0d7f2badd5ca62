"""The worst seconds of a case, moving."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.unit.report.shown_pairs import write_video

from penstock.families.family import Closeup, View
from penstock.foundation.errors import UsageError
from penstock.report.exhibits import Moment
from penstock.report.moving_pair import moving_pair
from penstock.report.picture_files import MAX_MOVING_BYTES

CAPTIONS = {"baseline": "before: 1", "candidate": "after: 2"}
VIEW = View(closeup=Closeup("mouth", "face", 0.5, 0.8, 0.62, (0.5, 0.5, 0.5)))


def frames_of(content: bytes) -> list[Image.Image]:
    with Image.open(io.BytesIO(content)) as image:
        found = []
        for number in range(image.n_frames):  # type: ignore[attr-defined]
            image.seek(number)
            found.append(image.convert("RGB"))
        assert image.info["loop"] == 0
        return found


def level(frame: Image.Image, x: float) -> int:
    return int(np.asarray(frame)[120, round(x * frame.width)].mean())


@pytest.mark.slow
def test_both_sides_run_together_and_the_shorter_one_waits(tmp_path: Path) -> None:
    videos = {
        "baseline": write_video(tmp_path / "a.mp4", [10 * n for n in range(16)]),
        "candidate": write_video(tmp_path / "b.mp4", [100 + 10 * n for n in range(6)]),
    }
    content = moving_pair(videos, CAPTIONS, Moment(8, 25.0), View(), {})
    assert 0 < len(content) <= MAX_MOVING_BYTES
    frames = frames_of(content)
    assert len(frames) == 8
    assert [level(frame, 0.25) for frame in frames[:4]] == pytest.approx([0, 20, 40, 60], abs=6)
    assert level(frames[1], 0.75) == pytest.approx(120, abs=6)
    assert level(frames[-1], 0.75) == pytest.approx(140, abs=6)
    assert content == moving_pair(videos, CAPTIONS, Moment(8, 25.0), View(), {})


def test_the_closeup_stands_below(tmp_path: Path) -> None:
    videos = {"candidate": write_video(tmp_path / "a.mp4", [90, 90, 90, 90])}
    plain, close = (frames_of(moving_pair(videos, CAPTIONS, Moment(0, 25.0), view, {}))[0] for view in (View(), VIEW))
    assert close.height > plain.height + 50


def test_a_single_frame_does_not_move(tmp_path: Path) -> None:
    assert (
        moving_pair({"candidate": write_video(tmp_path / "a.mp4", [9])}, CAPTIONS, Moment(0, 25.0), View(), {}) == b""
    )


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"none")
    with pytest.raises(UsageError):
        moving_pair({"candidate": tmp_path / "a.mp4"}, CAPTIONS, Moment(0, 25.0), View(), {})
