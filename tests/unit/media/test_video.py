"""Decoding of what is in order, however odd."""

from fractions import Fraction

import av
import numpy as np
import pytest
from tests.unit.media.media_files import numbers, picture, tone, write_clip

from penstock import media


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi"])
def test_containers(tmp_path, suffix):
    audio_codec = "aac" if suffix == ".mp4" else "pcm_s16le"
    path = write_clip(
        tmp_path / f"clip{suffix}", [picture(n) for n in range(8)], sound=tone(0.32), audio_codec=audio_codec
    )
    assert numbers(media.read_frames(path)) == list(range(8))
    assert media.read_audio(path).size >= 0.32 * 16_000


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv444p10le"])
def test_pixel_formats_become_8_bit_bgr(tmp_path, pix_fmt):
    y, x = np.mgrid[0:48, 0:64]
    smooth = np.stack([60 + 2 * x, 40 + 3 * y, 200 - x - y], axis=-1).astype(np.uint8)
    path = write_clip(tmp_path / "clip.mkv", [smooth] * 2, pix_fmt=pix_fmt)
    for frame in media.read_frames(path):
        assert frame.dtype == np.uint8
        assert np.abs(frame.astype(int) - smooth).max() < 12


def test_a_picture_of_two_frames_in_matroska_is_not_taken_for_a_truncated_one(tmp_path):
    path = write_clip(tmp_path / "two.mkv", [picture(n) for n in range(2)], sound=tone(0.6))
    assert numbers(media.read_frames(path)) == [0, 1]
    assert media.probe(path).video.duration_s == pytest.approx(0.08)
    assert media.probe(path).duration_s == pytest.approx(0.6)


def test_no_frames_and_five_frames(tmp_path):
    five = write_clip(tmp_path / "five.mp4", [picture(n) for n in range(5)])
    assert len(list(media.read_frames(five))) == 5
    none = tmp_path / "none.mkv"
    with av.open(str(none), "w") as container:
        video = container.add_stream("ffv1", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        block = av.AudioFrame.from_ndarray(tone(0.02), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = 16_000, 0, Fraction(1, 16_000)
        container.mux(audio.encode(block))
    assert list(media.read_frames(none)) == []
    assert media.frame_times(none).shape == (0,)
