"""Whether a Matroska file is whole in its structure."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.media.media_files import tone

from penstock import media
from penstock.foundation.errors import UsageError


class Pipe(io.RawIOBase):
    """A file that nobody can go back in."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()


def write_intra(path: Path, *, piped: bool) -> Path:
    """Frames none of which needs another, in clusters of four, with sound."""
    random = np.random.default_rng(6)
    target = Pipe(path) if piped else str(path)
    options = {"cluster_time_limit": "150"}
    with av.open(target, "w", format="matroska", options=options) as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for number in range(24):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (48, 64, 3), dtype=np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
            block = av.AudioFrame.from_ndarray(tone(0.04), format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 16_000, number * 640, Fraction(1, 16_000)
            container.mux(audio.encode(block))
        container.mux([*video.encode(None), *audio.encode(None)])
    return path


@pytest.mark.parametrize("piped", [False, True])
def test_frames_that_vanish_from_matroska_are_missed(tmp_path: Path, piped: bool) -> None:
    """FFmpeg goes on at the next cluster, and says nothing to the program."""
    path = write_intra(tmp_path / "whole.mkv", piped=piped)
    assert len(list(media.read_frames(path))) == 24
    assert media.read_audio(path).size == 24 * 640
    data = path.read_bytes()
    broken = tmp_path / "broken.mkv"
    length = len(data) // 8
    for begin in range(len(data) // 10, len(data) - 2 * length, length):
        broken.write_bytes(data[:begin] + bytes(length) + data[begin + length :])
        for read in (lambda path: list(media.read_frames(path)), media.read_audio):
            with pytest.raises(UsageError, match=r"broken\.mkv: the file is damaged"):
                read(broken)
