"""Two videos of one talking-head model, frame by frame, and what cannot be compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.matting.drawn_clips import write_clip

from penstock.families.registry import family
from penstock.families.talking_head.agreement import compare
from penstock.foundation.errors import UsageError


def clip(path: Path, *levels: int, side: int = 32) -> Path:
    return write_clip(path, [np.full((side, side), level, np.uint8) for level in levels])


def test_a_value_for_each_of_the_familys_limits(tmp_path: Path) -> None:
    one = clip(tmp_path / "one.mkv", 100, 100, 100, 100)
    other = clip(tmp_path / "other.mkv", 100, 100, 151, 100)
    agreement = family("talking-head").agreement
    assert agreement is not None
    assert compare({"": one}, {"": one}, {}) == dict.fromkeys(agreement.limits, 0.0)
    assert compare({"": one}, {"": other}, {}) == pytest.approx({"mae": 0.05, "worst_frame": 0.2}, abs=0.002)


def test_what_cannot_be_compared(tmp_path: Path) -> None:
    one = clip(tmp_path / "one.mkv", 100, 100)
    with pytest.raises(UsageError, match="differ in their number of frames"):
        compare({"": one}, {"": clip(tmp_path / "long.mkv", 100, 100, 100)}, {})
    with pytest.raises(UsageError, match="differ in size: 32x32 and 64x64"):
        compare({"": one}, {"": clip(tmp_path / "large.mkv", 100, 100, side=64)}, {})
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(UsageError):
        compare({"": one}, {"": tmp_path / "text.mp4"}, {})
    with pytest.raises(UsageError, match="several calls"):
        compare({"": one}, {"other": one}, {})
