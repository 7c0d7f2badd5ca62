"""Files that are odd and whole are read as FFmpeg reads them; of those that are damaged, nothing is made up."""

from __future__ import annotations

import contextlib
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.media.media_files import picture, tone, write_clip

from penstock import media
from penstock.foundation.errors import UsageError


@pytest.mark.parametrize("begin", [Fraction(0), Fraction(1, 2), Fraction(598), Fraction(36_000), Fraction(10**7)])
@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".mp4"])
def test_a_file_may_begin_at_any_time(tmp_path: Path, suffix: str, begin: Fraction) -> None:
    path = tmp_path / f"late{suffix}"
    codec, sound_codec, rate = ("libvpx", "libopus", 48_000) if suffix == ".webm" else ("libx264", "aac", 16_000)
    with av.open(str(path), "w", options={"avoid_negative_ts": "disabled"}) as container:
        video = container.add_stream(codec, rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        audio = container.add_stream(sound_codec, rate=rate, layout="mono")
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            frame.pts, frame.time_base = number + int(begin * 25), Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        block = av.AudioFrame.from_ndarray(tone(0.48, rate), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = rate, int(begin * rate), Fraction(1, rate)
        container.mux([*audio.encode(block), *audio.encode(None)])
    info = media.probe(path)
    assert info.duration_s == pytest.approx(0.5, abs=0.1)
    assert info.video.duration_s == pytest.approx(0.5, abs=0.1)
    assert len(list(media.read_frames(path))) == 12
    assert media.read_audio(path, with_video=True).size == pytest.approx(0.48 * 16_000, abs=1100)


def test_avi_from_a_pipe_promises_nothing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "pipe.avi", [picture(n) for n in range(12)], sound=tone(0.48), codec="mpeg4")
    data = bytearray(path.read_bytes())
    for name, at in ((b"avih", 16), (b"strh", 32)):  # frames in all, length of each stream
        found = data.find(name)
        while found >= 0:
            data[found + 8 + at : found + 12 + at] = struct.pack("<I", 0x40000000)
            found = data.find(name, found + 4)
    path.write_bytes(data)
    assert len(list(media.read_frames(path))) == 12
    assert media.read_audio(path).size == 7680
    assert media.probe(path).duration_s is None


def test_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "cover.mp4"
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        audio = container.add_stream("aac", rate=16_000, layout="mono")
        frame = av.VideoFrame.from_ndarray(picture(0), format="bgr24")
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        container.mux([*cover.encode(frame), *cover.encode(None)])
        block = av.AudioFrame.from_ndarray(tone(0.3), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = 16_000, 0, Fraction(1, 16_000)
        container.mux([*audio.encode(block), *audio.encode(None)])
    assert media.probe(path).video is None
    with pytest.raises(UsageError, match="no video"):
        list(media.read_frames(path))


# damage


def textured(number: int) -> np.ndarray:
    random = np.random.default_rng(number)
    return np.clip(picture(number).astype(int) + random.integers(-20, 20, (48, 64, 3)), 0, 255).astype(np.uint8)


def damaged_pictures(path: Path, *, key: bool) -> Path:
    """The clip with half of each packet lost that is a key frame (or is none): nothing but zeros."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
    data = bytearray(path.read_bytes())
    for packet in packets[2:]:
        if bool(packet.is_keyframe) == key:
            begin = data.index(bytes(packet)) + packet.size // 3
            data[begin : begin + packet.size // 2] = bytes(packet.size // 2)
    broken = path.with_name(f"broken{path.suffix}")
    broken.write_bytes(data)
    return broken


@pytest.mark.slow
@pytest.mark.parametrize(
    ("codec", "suffix", "key"),
    [("libx264", ".mp4", False), ("libx264", ".mkv", False), ("mpeg4", ".mkv", True), ("libx265", ".mkv", False),
     ("mjpeg", ".avi", True)],
)  # fmt: skip
def test_a_damaged_picture_is_not_scored_as_a_whole_one(tmp_path: Path, codec: str, suffix: str, key: bool) -> None:
    options = {
        "libx264": {"g": "8", "qp": "4"},
        "libx265": {"x265-params": "keyint=8:hash=1:log-level=none"},
        "mpeg4": {"g": "8", "qmin": "2", "qmax": "2"},
        "mjpeg": {"qmin": "2", "qmax": "2"},
    }
    path = tmp_path / f"clip{suffix}"
    random = np.random.default_rng(5)
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=25, options=options[codec])
        video.width, video.height, video.pix_fmt = 128, 96, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for number in range(24):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (96, 128, 3), dtype=np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    assert len(list(media.read_frames(path))) == 24
    broken = damaged_pictures(path, key=key)
    for read in (media.read_frames, media.read_reference_frames):
        with pytest.raises(UsageError, match="damaged"):
            list(read(broken))


def test_damaged_flac_is_refused(tmp_path: Path) -> None:
    sound = np.random.default_rng(0).integers(-9000, 9000, (1, 48_000), dtype=np.int16)
    path = write_clip(tmp_path / "sound.flac", sound=sound, audio_codec="flac")
    data = bytearray(path.read_bytes())
    for byte in range(len(data) // 2, len(data) // 2 + 8):
        data[byte] ^= 0x5A
    path.write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        media.read_audio(path)


def containers(folder: Path) -> list[Path]:
    frames = [textured(n) for n in range(10)]
    high = tone(0.4, 48_000)
    return [
        write_clip(folder / "a.mp4", frames, sound=tone(0.4), audio_codec="aac"),
        write_clip(folder / "a.mkv", frames, sound=tone(0.4), audio_codec="pcm_s16le"),
        write_clip(folder / "a.avi", frames, sound=tone(0.4), codec="mjpeg", pix_fmt="yuvj420p"),
        write_clip(
            folder / "a.webm", frames, sound=tone(0.4, 48_000), rate=48_000, codec="libvpx", audio_codec="libopus"
        ),
        write_clip(folder / "a.wav", sound=tone(0.4)),
        write_clip(folder / "a.flac", sound=tone(0.4), audio_codec="flac"),
        write_clip(folder / "a.mp3", sound=tone(0.4), audio_codec="libmp3lame"),
        write_clip(folder / "a.ogg", sound=high, rate=48_000, audio_codec="libopus"),
    ]


@pytest.mark.slow
def test_bits_turned_over_anywhere_raise_one_kind_of_error_only(tmp_path: Path) -> None:
    random = np.random.default_rng(7)
    readers = (
        media.probe,
        media.frame_times,
        lambda path: list(media.read_frames(path)),
        lambda path: media.read_audio(path, with_video=True),
    )
    for path in containers(tmp_path):
        data = path.read_bytes()
        for number in range(12):
            broken = bytearray(data)
            begin, end = (0, min(600, len(data))) if number % 2 else (0, len(data))
            for at in random.integers(begin, end, 50 if number % 3 else 4):
                broken[at] ^= 1 << int(random.integers(8))
            path.write_bytes(broken[: len(broken) - number % 4 * 700])
            for read in readers:
                with contextlib.suppress(UsageError):
                    read(path)
