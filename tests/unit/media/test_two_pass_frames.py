"""Two passes over a video that is decoded once."""

from __future__ import annotations

import gc
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.evaluation.conftest import video

from penstock.foundation.errors import UsageError
from penstock.media import read_frames
from penstock.media.two_pass_frames import HeldFrames


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(video(30))
    return path


def test_second_look_needs_no_file(clip: Path) -> None:
    expected = list(read_frames(clip))
    held = HeldFrames(clip, fps=25)
    ahead = list(held.ahead())
    clip.unlink()
    again = list(held)
    assert len(expected) == len(ahead) == len(again) == 30
    assert all(np.array_equal(*pair) for frames in (ahead, again) for pair in zip(expected, frames, strict=True))


def test_what_was_looked_at_for_good_is_let_go(clip: Path) -> None:
    held = HeldFrames(clip, fps=25)
    assert len(list(held.ahead())) == len(list(held)) == 30
    clip.unlink()
    with pytest.raises(UsageError, match="the file is missing"):
        next(iter(held))


def test_video_too_large_to_be_held_is_decoded_again(clip: Path) -> None:
    held = HeldFrames(clip, fps=25, most_bytes=10 * 64 * 64 * 3 // 2)
    ahead = list(held.ahead())
    again = list(held)
    assert len(ahead) == len(again) == 30
    assert all(np.array_equal(*pair) for pair in zip(ahead, again, strict=True))
    assert len(list(held.ahead())) == 30
    clip.unlink()
    with pytest.raises(UsageError, match="the file is missing"):
        list(held)


def test_video_without_a_look_ahead_is_decoded_as_ever(clip: Path) -> None:
    assert all(np.array_equal(*pair) for pair in zip(read_frames(clip), HeldFrames(clip, fps=25), strict=True))


def test_damage_found_ahead_is_found_again(clip: Path) -> None:
    whole = clip.read_bytes()
    clip.write_bytes(whole[: len(whole) // 2])
    held = HeldFrames(clip, fps=25)
    for look in (held.ahead, held.__iter__):
        with pytest.raises(UsageError):
            list(look())


def test_frames_are_let_go_as_they_are_passed(clip: Path) -> None:
    """Without waiting for Python to look for objects that hold each other: a suite would take gigabytes meanwhile."""

    def there() -> int:
        return sum(type(item) is av.VideoFrame for item in gc.get_objects())

    gc.collect()
    others = there()  # what other tests of this process have kept
    gc.disable()
    try:
        assert len(list(read_frames(clip))) == 30
        left = there() - others
    finally:
        gc.enable()
    assert left <= 2
