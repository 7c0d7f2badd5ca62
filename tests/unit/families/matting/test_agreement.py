"""Two answers of one cut-out model, as files: pictures, clips, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.unit.families.matting.drawn_clips import write_clip

from penstock.families.matting.agreement import compare
from penstock.families.registry import family
from penstock.foundation.errors import UsageError


def cutout(path: Path, alpha: float = 1.0, *, side: int = 32) -> Path:
    picture = np.zeros((side, side, 4), np.uint8)
    picture[8:24, 8:24, 3] = round(255 * alpha)
    path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    return path


def test_a_value_for_each_of_the_familys_limits(tmp_path: Path) -> None:
    one, other = cutout(tmp_path / "one.png"), cutout(tmp_path / "other.png", 0.6)
    found = compare({"": one}, {"": other}, {})
    agreement = family("matting").agreement
    assert agreement is not None
    assert found.keys() == agreement.limits.keys()
    assert agreement.limits["mae"] == 0.005, "what the owners ask for"
    assert found == pytest.approx({"mae": 0.4 / 4, "edge_max": 0.4, "edge_p999": 0.4})
    assert set(compare({"": one}, {"": one}, {}).values()) == {0.0}


def test_of_a_clip_the_worst_frame_counts(tmp_path: Path) -> None:
    frames = [np.zeros((32, 32), np.uint8) for _ in range(3)]
    for frame in frames:
        frame[8:24, 8:24] = 255
    worse = [frame.copy() for frame in frames]
    worse[1][8:24, 8:16] = 0
    one, other = write_clip(tmp_path / "one.mkv", frames), write_clip(tmp_path / "other.mkv", worse)
    assert compare({"": one}, {"": other}, {})["mae"] == pytest.approx(16 * 8 / 32**2)
    with pytest.raises(UsageError, match="differ in their number of frames"):
        compare({"": one}, {"": write_clip(tmp_path / "short.mkv", frames[:2])}, {})


def test_what_is_no_answer_cannot_be_compared(tmp_path: Path) -> None:
    one = cutout(tmp_path / "one.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(UsageError, match="the output is not a PNG with alpha"):
        compare({"": one}, {"": tmp_path / "text.png"}, {})
    with pytest.raises(UsageError, match="differ in size: 32x32 and 64x64"):
        compare({"": one}, {"": cutout(tmp_path / "large.png", side=64)}, {})
    with pytest.raises(UsageError, match="several calls"):
        compare({"": one}, {"first": one}, {})
