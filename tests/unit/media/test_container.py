"""Decoding of what is broken, hostile or not media at all: one clear message that names the file."""

import contextlib
import os
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from tests.unit.media.media_files import picture, tone, write_clip

from penstock import media
from penstock.foundation.errors import UsageError
from penstock.media import MediaLimits


def frames_of(path, **given):
    return list(media.read_frames(path, **given))


READERS = [media.probe, frames_of, media.read_audio, media.frame_times]


def refused(path, read, message):
    with pytest.raises(UsageError, match=message) as caught:
        read(path)
    assert path.name in str(caught.value)
    assert caught.value.todo


@pytest.fixture
def clip(tmp_path):
    return write_clip(tmp_path / "clip.mp4", [picture(n) for n in range(50)], sound=tone(2.0), audio_codec="aac")


@pytest.mark.parametrize("read", READERS)
def test_not_there_not_a_file_empty_not_media(tmp_path, read):
    refused(tmp_path / "gone.mp4", read, "the file is missing")
    refused(tmp_path, read, "this is a directory, not a file")
    os.mkfifo(tmp_path / "pipe.mp4")
    refused(tmp_path / "pipe.mp4", read, "regular file")
    (tmp_path / "empty.mp4").touch()
    refused(tmp_path / "empty.mp4", read, "empty")
    (tmp_path / "text.mp4").write_text("no video\n" * 1000)
    refused(tmp_path / "text.mp4", read, "no image, sound or video that Penstock knows")
    (tmp_path / "random.mp4").write_bytes(np.random.default_rng(0).bytes(50_000))
    refused(tmp_path / "random.mp4", read, "no image, sound or video that Penstock knows")
    (tmp_path / "lfs.mp4").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    refused(tmp_path / "lfs.mp4", read, "Git LFS pointer")


def test_a_name_with_a_nul_byte():
    from pathlib import Path

    with pytest.raises(UsageError, match="this is not a path"):
        media.probe(Path("a\0b.mp4"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.mp4", "ffconcat version 1.0\nfile '{secret}'\n"),
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n"),
        ("list.sdp", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"),
        ("list.mpd", '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period/></MPD>'),
        ("frame%03d.ppm", "P6 2 2 255\n............"),
    ],
)
@pytest.mark.parametrize("read", READERS)
def test_files_that_refer_to_others_are_not_followed(tmp_path, clip, name, text, read):
    path = tmp_path / name
    path.write_text(text.format(secret=clip))
    refused(path, read, "no image, sound or video that Penstock knows")


def test_without_video_and_without_sound(tmp_path):
    silent = write_clip(tmp_path / "silent.mp4", [picture(n) for n in range(6)])
    sound = write_clip(tmp_path / "sound.wav", sound=tone(0.3))
    refused(silent, media.read_audio, "no sound")
    refused(sound, frames_of, "no video")
    refused(sound, media.frame_times, "no video")
    assert media.probe(silent).audio is None
    assert media.probe(sound).video is None


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_truncated(tmp_path, suffix):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(50)]
    options = {"movflags": "faststart"} if suffix == ".mp4" else {}
    audio_codec = "aac" if suffix == ".mp4" else "pcm_s16le"
    whole = write_clip(tmp_path / f"whole{suffix}", frames, sound=tone(2.0), audio_codec=audio_codec, options=options)
    data = whole.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    for share in (0.3, 0.6):
        cut.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(UsageError, match=r"truncated|damaged") as caught:
            frames_of(cut)
        assert cut.name in str(caught.value)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_truncated_sound(tmp_path, suffix):
    codec = "pcm_s16le" if suffix == ".wav" else "flac"
    noise = np.random.default_rng(0).integers(-9000, 9000, (1, 48_000), dtype=np.int16)
    data = write_clip(tmp_path / f"whole{suffix}", sound=noise, audio_codec=codec).read_bytes()
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(data[: len(data) // 2])
    refused(cut, media.read_audio, "truncated|damaged")


@pytest.mark.slow
def test_damaged_in_the_middle_never_crashes(clip, tmp_path):
    random = np.random.default_rng(3)
    data = clip.read_bytes()
    for number in range(40):
        broken = bytearray(data)
        for at in random.integers(0, len(data), 30):
            broken[at] = int(random.integers(0, 256))
        path = tmp_path / f"broken-{number}.mp4"
        path.write_bytes(broken)
        for read in READERS:
            with contextlib.suppress(UsageError):
                read(path)


def test_limits(clip, tmp_path):
    for limits, message in (
        (MediaLimits(file_bytes=1000), "bytes, at most"),
        (MediaLimits(side_pixels=50), "64x48 pixels"),
        (MediaLimits(seconds=1.0), "longer than the 1 s"),
    ):
        for read in (frames_of, media.probe):
            with pytest.raises(UsageError, match=message):
                read(clip, limits=limits)
    with pytest.raises(UsageError, match="longer than"):
        media.read_audio(clip, limits=MediaLimits(seconds=1.0))
    with pytest.raises(UsageError, match="channels"):
        media.read_audio(clip, limits=MediaLimits(sample_rate=8000))
    with pytest.raises(UsageError, match="longer than"):
        frames_of(clip, limits=MediaLimits(seconds=2.0, frames_per_second=20.0), fps=None)


def test_a_gap_of_an_hour_is_not_filled_with_frames(tmp_path):
    path = write_clip(tmp_path / "gap.mkv", [picture(0), picture(1)], times=[Fraction(0), Fraction(3600)])
    refused(path, frames_of, "longer than")


def test_a_gap_of_an_hour_is_not_filled_with_silence(tmp_path):
    path = tmp_path / "gap.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, 3600 * 16_000):
            block = av.AudioFrame.from_ndarray(tone(0.1), format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 16_000, start, Fraction(1, 16_000)
            container.mux(stream.encode(block))
    refused(path, media.read_audio, "longer than")


def test_a_header_that_lies_about_the_picture_size(tmp_path):
    path = write_clip(tmp_path / "clip.avi", [picture(n) for n in range(5)], codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    at = data.index(b"\xff\xc0") + 5  # the height in the JPEG's own header, behind the container's back
    while at > 5:
        data[at : at + 4] = struct.pack(">HH", 60_000, 60_000)
        at = data.find(b"\xff\xc0", at) + 5
    path.write_bytes(data)
    with pytest.raises(UsageError, match=path.name):
        frames_of(path)


def test_a_picture_size_that_changes(tmp_path):
    path = tmp_path / "change.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
        packets = []
        for size in ((64, 48), (32, 32)):
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = *size, "yuvj420p"
            encoder.time_base = Fraction(1, 25)
            frame = av.VideoFrame.from_ndarray(picture(0, *size), format="bgr24").reformat(format="yuvj420p")
            packets += [bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)]]
        for number, content in enumerate(packets):
            packet = av.Packet(content)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, number, number, Fraction(1, 25)
            container.mux(packet)
    refused(path, frames_of, "size changes")
