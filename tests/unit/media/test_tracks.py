"""Which of several sound tracks is read, and that it is said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.media.media_files import picture, tone, write_clip

from penstock import media

RATE = 16_000


# several tracks


def two_sounds(path: Path, *, default: int, channels: tuple[int, int] = (1, 1)) -> Path:
    """A clip with two sound tracks: silence, then a tone; one is marked as the default."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        streams = []
        for number, count in enumerate(channels):
            stream = container.add_stream("aac", rate=RATE, layout="mono" if count == 1 else "stereo")
            stream.disposition = av.stream.Disposition.default if number == default else av.stream.Disposition(0)
            streams.append(stream)
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for stream, count, sound in zip(streams, channels, (0 * tone(0.5), tone(0.5)), strict=True):
            packed = np.ascontiguousarray(np.tile(sound, (count, 1)).T).reshape(1, -1)
            block = av.AudioFrame.from_ndarray(packed, format="s16", layout="mono" if count == 1 else "stereo")
            block.sample_rate, block.pts, block.time_base = RATE, 0, Fraction(1, RATE)
            container.mux([*stream.encode(block), *stream.encode(None)])
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("default", [0, 1])
def test_the_default_track_is_read_and_it_is_said(tmp_path: Path, suffix: str, default: int) -> None:
    path = two_sounds(tmp_path / f"two{suffix}", default=default)
    assert (media.read_audio(path).max() > 5000) == (default == 1)
    (remark,) = media.probe(path).remarks
    assert remark == f"there are 2 sound tracks: number {default + 1}, which is marked as the default, is read"


def test_without_a_default_the_track_with_the_most_channels_is_read(tmp_path: Path) -> None:
    path = two_sounds(tmp_path / "two.mkv", default=-1, channels=(1, 2))
    assert media.read_audio(path).max() > 5000
    assert media.probe(path).remarks == ("there are 2 sound tracks: number 2 is read",)


def test_one_track_is_not_worth_a_word(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "one.mp4", [picture(0)] * 3, sound=tone(0.2), audio_codec="aac")
    assert media.probe(path).remarks == ()
