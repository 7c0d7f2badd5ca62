"""Sharpness, durations and sizes against SciPy and FFmpeg.

Needs the parity environment (SciPy, FFmpeg 7.0 on the PATH): its ``python -m pytest tests/parity``.
"""

import re
import subprocess
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from tests.parity.odd_clips import moving, numbered, voice, write
from tests.parity.syncnet_reference import run

from penstock import media
from penstock.metrics.picture import sharpness


@pytest.mark.parametrize(("width", "height"), [(64, 48), (97, 33), (3, 3), (224, 224)])
@pytest.mark.parametrize("box", [None, (1, 1, 40, 30)])
def test_variance_of_laplacian(width, height, box):
    """Of Pillow's luma and SciPy's Laplacian; the two lumas round a tenth of the pixels the other way."""
    if box and width < 40:
        box = None
    frames = list(moving(3, width, height))
    x, y, wide, high = box or (0, 0, width, height)
    expected = []
    for frame in frames:
        luma = np.asarray(Image.fromarray(frame[y : y + high, x : x + wide, ::-1]).convert("L"), float)
        expected.append(ndimage.laplace(luma, mode="mirror").var())
    assert sharpness(frames, box) == pytest.approx(np.mean(expected), rel=0.02)


@pytest.mark.parametrize(("width", "height"), [(64, 48), (97, 33), (3, 3)])
def test_variance_of_laplacian_of_grey(width, height):
    """Where there is nothing to round, the two are equal."""
    grey = np.random.default_rng(width).integers(0, 256, (height, width, 1), dtype=np.uint8).repeat(3, axis=2)
    expected = ndimage.laplace(grey[..., 0].astype(float), mode="mirror").var()
    assert sharpness([grey]) == pytest.approx(expected, rel=1e-9)


def said(path):
    """Seconds, width, height and rate that FFmpeg says a file has."""
    text = subprocess.run(["ffmpeg", "-hide_banner", "-i", str(path)], capture_output=True, text=True).stderr
    hours, minutes, seconds = re.search(r"Duration: (\d+):(\d+):([\d.]+)", text).groups()
    width, height = re.search(r"Video: .*? (\d{2,5})x(\d{2,5})[ ,]", text).groups()
    rate = re.search(r"([\d.]+) fps", text).group(1)
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds), int(width), int(height), float(rate)


KINDS = {
    "plain": {},
    "30": {"rate": 30},
    "29.97": {"rate": Fraction(30_000, 1001)},
    "longer sound": {"seconds": 2.7},
    "shorter sound": {"seconds": 0.5},
    "odd size": {"width": 131, "height": 97, "pix_fmt": "yuv444p"},
}


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_the_headers_say(tmp_path, kind, suffix):
    how = dict(KINDS[kind])
    width, height = how.pop("width", 128), how.pop("height", 96)
    sound = voice(how.pop("seconds", 1.2), 48_000, 2)
    path = write(
        tmp_path / f"clip.{suffix}",
        (numbered(n, width, height) for n in range(30)),
        sound=sound,
        sound_rate=48_000,
        layout="stereo",
        sound_codec="aac" if suffix == "mp4" else "pcm_s16le",
        **how,
    )
    seconds, *size, rate = said(path)
    info = media.probe(path)
    assert info.duration_s == pytest.approx(seconds, abs=0.011)
    assert [info.video.width, info.video.height] == size
    assert info.video.fps == pytest.approx(rate, abs=0.01)
    assert (info.audio.rate, info.audio.channels) == (48_000, 2)


def test_duration_of_the_picture_is_not_that_of_the_sound(tmp_path):
    """A clip lasts as long as its picture, as FFmpeg finds it when it decodes."""
    path = write(tmp_path / "clip.mp4", (numbered(n) for n in range(30)), rate=30, sound=voice(2.7, 16_000))
    progress = run("-i", path, "-map", "0:v", "-f", "null", "-progress", "-", "-").decode()
    decoded = int(re.findall(r"out_time_us=(\d+)", progress)[-1]) / 1e6
    assert media.probe(path).video.duration_s == pytest.approx(decoded, abs=0.001)
    assert media.probe(path).duration_s > 2.6
