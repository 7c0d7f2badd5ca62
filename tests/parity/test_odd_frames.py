"""Frames of odd videos against FFmpeg's own, bit by bit: which ones make 25 a second, their colours, which way is up.

Needs the parity environment (FFmpeg 7.0 on the PATH): its ``python -m pytest tests/parity``.
"""

from fractions import Fraction

import cv2
import numpy as np
import pytest
from tests.parity.odd_clips import moving, numbered, numbers, voice, write
from tests.parity.syncnet_reference import CONSTANT, frames_of, run

from penstock import media


def every(step, count=60):
    return [Fraction(step) * number for number in range(count)]


def irregular(seed, least=5, most=120):
    gaps = np.random.default_rng(seed).integers(least, most, 40)
    return [Fraction(int(sum(gaps[:number])), 1000) for number in range(41)]


RATES = {
    "10": 10,
    "12": 12,
    "15": 15,
    "23.976": Fraction(24_000, 1001),
    "24": 24,
    "25": 25,
    "29.97": Fraction(30_000, 1001),
    "30": 30,
    "50": 50,
    "59.94": Fraction(60_000, 1001),
    "60": 60,
}


def clip(tmp_path, suffix, name):
    """A clip of a rate by name, or of a variable one (``vfr 3``; ``vfr 3 plain`` without reordered frames)."""
    path = tmp_path / f"clip.{suffix}"
    if name in RATES:
        return write(path, (numbered(n) for n in range(60)), rate=RATES[name])
    times = irregular(int(name.split()[1]))
    options = {"bf": "0"} if name.endswith("plain") else {}
    return write(path, (numbered(n) for n in range(41)), times=times, options=options)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("name", [*RATES, "vfr 0", "vfr 2", "vfr 4", "vfr 5 plain"])
def test_25_a_second_are_those_of_ffmpegs_filter(tmp_path, name, suffix):
    path = clip(tmp_path, suffix, name)
    assert numbers(media.read_frames(path)) == numbers(frames_of(path, "-vf", CONSTANT))


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("name", [*RATES, "vfr 0", "vfr 2", "vfr 4", "vfr 5 plain"])
def test_25_a_second_are_those_of_the_reference_where_asked_for(tmp_path, name, suffix):
    path = clip(tmp_path, suffix, name)
    theirs = numbers(frames_of(path, "-r", "25"))
    run("-i", path, "-q:v", "2", "-r", "25", "-async", "1", tmp_path / "video.avi")  # its pipeline's first command
    assert numbers(frames_of(tmp_path / "video.avi")) == theirs
    assert numbers(media.read_frames(path, rule="program")) == theirs
    assert numbers(media.read_reference_frames(path)) == theirs


@pytest.mark.parametrize(("name", "lag"), [("25", 0), ("24", 1), ("30", 73), ("29.97", 73), ("50", 60), ("60", 60)])
def test_the_reference_lags_and_the_direct_protocol_does_not(tmp_path, name, lag):
    """What ``-r 25`` shows is up to 73 ms old, what the filter shows is never off by more than half a frame."""
    path = clip(tmp_path, "mp4", name)
    length = 1000 / float(RATES[name])

    def age(frames):
        ends = [slot * 40 - (number + 1) * length for slot, number in enumerate(numbers(frames))]
        return max(ends) + min(40, length)

    assert age(frames_of(path, "-r", "25")) == pytest.approx(lag, abs=21)
    assert age(media.read_frames(path)) <= 20.1


def test_slots_are_counted_from_the_first_frame(tmp_path):
    """FFmpeg counts from the file's begin; where the sound begins 13 ms before the picture, those are others."""
    late = [time + Fraction(13, 1000) for time in every(Fraction(1, 30))]
    sound = voice(2.0, 16_000)
    path = write(
        tmp_path / "late.mkv", (numbered(n) for n in range(60)), times=late, sound=sound, sound_codec="pcm_s16le"
    )
    mine = numbers(media.read_frames(path))
    assert mine == numbers(frames_of(path, "-vf", CONSTANT))
    assert mine != numbers(frames_of(path, "-vf", "fps=25"))
    assert media.read_audio(path, with_video=True).size == sound.size - 208


# Colours

FORMATS = [
    ("yuv420p", "ffv1"),
    ("yuv422p", "ffv1"),
    ("yuv444p", "ffv1"),
    ("yuv440p", "ffv1"),
    ("yuv411p", "ffv1"),
    ("yuva420p", "ffv1"),
    ("yuv420p10le", "ffv1"),
    ("yuv422p10le", "ffv1"),
    ("yuv444p10le", "ffv1"),
    ("yuv420p12le", "ffv1"),
    ("gray", "ffv1"),
    ("gray10le", "ffv1"),
    ("bgr0", "ffv1"),
    ("nv12", "rawvideo"),
    ("yuvj420p", "mjpeg"),
    ("yuvj422p", "mjpeg"),
    ("yuvj444p", "mjpeg"),
]


@pytest.mark.parametrize(("width", "height"), [(224, 224), (223, 225), (226, 223), (97, 96)])
@pytest.mark.parametrize(("pix_fmt", "codec"), FORMATS)
def test_every_pixel_format_in_odd_sizes(tmp_path, pix_fmt, codec, width, height):
    path = write(tmp_path / "clip.mkv", moving(2, width, height), codec=codec, pix_fmt=pix_fmt)
    mine = np.stack(list(media.read_frames(path)))
    assert mine.shape == (2, height, width, 3)
    assert (mine == frames_of(path)).all()


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("color_range", [1, 2], ids=["limited", "full"])
@pytest.mark.parametrize("colorspace", [1, 5, 9], ids=["bt709", "bt601", "bt2020"])
def test_range_and_colour_space_as_the_file_says(tmp_path, pix_fmt, color_range, colorspace):
    """Also that the place of the chroma, which x264 writes down, moves nothing (FFmpeg from 7.1 on heeds it)."""
    path = write(tmp_path / "clip.mp4", moving(2), pix_fmt=pix_fmt, color_range=color_range, colorspace=colorspace)
    assert (np.stack(list(media.read_frames(path))) == frames_of(path)).all()


@pytest.mark.parametrize(
    ("width", "height", "how"),
    [(224, 160, {"pixel_aspect": Fraction(4, 3)}), (224, 160, {"options": {"x264-params": "interlaced=1:tff=1"}})],
    ids=["pixels not square", "interlaced"],
)
def test_stored_pixels_are_taken_as_they_are(tmp_path, width, height, how):
    path = write(tmp_path / "clip.mp4", moving(3, width, height), **how)
    mine = np.stack(list(media.read_frames(path)))
    assert mine.shape[1:3] == (height, width)
    assert (mine == frames_of(path)).all()


# Which way is up

TURNS = {
    "90": ["-display_rotation", "90"],
    "180": ["-display_rotation", "180"],
    "270": ["-display_rotation", "270"],
    "mirrored": ["-display_hflip"],
    "upside down": ["-display_vflip"],
    "90 mirrored": ["-display_rotation", "90", "-display_hflip"],
    "270 mirrored": ["-display_rotation", "270", "-display_hflip"],
}


def turned(tmp_path, turn, *, width=96, height=64, pix_fmt="yuv420p"):
    plain = write(tmp_path / "plain.mp4", moving(4, width, height), pix_fmt=pix_fmt)
    run(*TURNS[turn], "-i", plain, "-c", "copy", tmp_path / "turned.mp4")
    return tmp_path / "turned.mp4"


@pytest.mark.parametrize("turn", TURNS)
def test_upright_as_ffmpeg_turns_it(tmp_path, turn):
    path = turned(tmp_path, turn)
    expected = frames_of(path)
    mine = np.stack(list(media.read_frames(path)))
    assert (mine == expected).all()
    info = media.probe(path).video
    assert (info.height, info.width) == expected.shape[1:3]


def test_an_angle_between_becomes_the_nearest_quarter(tmp_path):
    """FFmpeg turns by the angle and leaves black corners, of another size for each angle."""
    plain = write(tmp_path / "plain.mp4", moving(1, 96, 64))
    run("-display_rotation", "80", "-i", plain, "-c", "copy", tmp_path / "turned.mp4")
    quarter = turned(tmp_path, "90")
    assert next(media.read_frames(tmp_path / "turned.mp4")).shape == next(media.read_frames(quarter)).shape


# The reference's JPEG files


def jpegs(path, folder, *options):
    place = folder / "frames"
    place.mkdir()
    run("-i", path, *options, "-f", "image2", "-threads", "1", place / "%06d.jpg")
    return np.stack([cv2.imread(str(name)) for name in sorted(place.glob("*.jpg"))])


@pytest.mark.parametrize(
    ("pix_fmt", "codec"), [each for each in FORMATS if each[0] not in ("bgr0", "yuv411p", "yuv440p")]
)
def test_lossy_frames_of_every_pixel_format(tmp_path, pix_fmt, codec):
    path = write(tmp_path / "clip.mkv", moving(4), codec=codec, pix_fmt=pix_fmt)
    mine = np.stack(list(media.read_reference_frames(path)))
    assert (mine == jpegs(path, tmp_path, "-r", "25")).all()


@pytest.mark.parametrize("pix_fmt", ["bgr0", "yuv411p", "yuv440p"])
def test_lossy_frames_of_rare_formats_are_near(tmp_path, pix_fmt):
    """FFmpeg converts these in one step of 15 bits, or to another chroma; here it takes two steps of 8 bits."""
    path = write(tmp_path / "clip.mkv", moving(4), codec="ffv1", pix_fmt=pix_fmt)
    mine = np.stack(list(media.read_reference_frames(path)))
    assert np.abs(mine.astype(int) - jpegs(path, tmp_path, "-r", "25")).mean() < 3


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("color_range", [1, 2], ids=["limited", "full"])
def test_lossy_frames_in_range(tmp_path, pix_fmt, color_range):
    path = write(tmp_path / "clip.mp4", moving(4), pix_fmt=pix_fmt, color_range=color_range)
    mine = np.stack(list(media.read_reference_frames(path)))
    assert (mine == jpegs(path, tmp_path, "-r", "25")).all()


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le", "yuv422p"])
def test_lossy_frames_upright(tmp_path, turn, pix_fmt):
    path = turned(tmp_path, turn, width=224, height=224, pix_fmt=pix_fmt)
    mine = np.stack(list(media.read_reference_frames(path))).astype(int)
    theirs = jpegs(path, tmp_path, "-r", "25")
    if pix_fmt == "yuv422p" and turn.startswith(("90", "270")):  # 4:2:2 cannot lie on its side: both widen it first
        assert np.abs(mine - theirs).mean() < 3
    else:
        assert (mine == theirs).all()
