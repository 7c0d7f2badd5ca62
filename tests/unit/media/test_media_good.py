"""Decoding of what is in order, however odd."""

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.media.media_files import numbers, picture, tone, write_clip

from penstock import media
from penstock.media.rate import at_rate


def test_clip_at_25_frames_per_second_comes_out_as_it_is(tmp_path):
    path = write_clip(tmp_path / "ä β 顔.mp4", [picture(n) for n in range(12)], sound=tone(0.48), audio_codec="aac")
    frames = list(media.read_frames(path))
    assert numbers(frames) == list(range(12))
    assert frames[0].shape == (48, 64, 3)
    assert frames[0].dtype == np.uint8
    assert media.frame_times(path) == pytest.approx(np.arange(12) / 25)
    info = media.probe(path)
    assert (info.video.width, info.video.height, info.video.fps, info.video.codec) == (64, 48, 25.0, "h264")
    assert info.video.duration_s == pytest.approx(0.48)
    assert (info.audio.rate, info.audio.channels, info.audio.codec) == (16_000, 1, "aac")


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


def test_variable_rate_is_resampled_as_the_fps_filter_does(tmp_path):
    times = [Fraction(t, 1000) for t in (0, 31, 70, 160, 170, 181, 300, 520)]
    path = write_clip(tmp_path / "vfr.mkv", [picture(n) for n in range(8)], times=times)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        source, fps, sink = graph.add_buffer(template=stream, time_base=stream.time_base), graph.add("fps", "25"), None
        sink = graph.add("buffersink")
        source.link_to(fps)
        fps.link_to(sink)
        graph.configure()
        expected = []
        for frame in [*container.decode(stream), None]:
            graph.push(frame)
            while True:
                try:
                    expected.append(graph.pull().to_ndarray(format="bgr24"))
                except (BlockingIOError, EOFError):
                    break
    assert numbers(media.read_frames(path)) == numbers(expected)
    assert numbers(media.read_frames(path, fps=None)) == list(range(8))
    assert media.frame_times(path) == pytest.approx([float(t) for t in times])


@pytest.mark.parametrize(("fps", "expected"), [(50, [0, 2, 4, 6, 8]), (12, [0, 0, 1, 1, 2, 2, 3, 3])])
def test_other_constant_rates(tmp_path, fps, expected):
    path = write_clip(tmp_path / "clip.mkv", [picture(n) for n in range(10)], fps=fps)
    assert numbers(media.read_frames(path))[: len(expected)] == pytest.approx(expected, abs=1)
    assert len(list(media.read_frames(path))) == round(10 / fps * 25)


@given(
    gaps=st.lists(st.fractions(Fraction(1, 500), Fraction(1, 5)), min_size=1, max_size=30),
    fps=st.sampled_from([24, 25, 30]),
    begin=st.fractions(-1, 1),
)
def test_a_constant_rate_shows_the_latest_frame_of_each_slot(gaps, fps, begin):
    starts = [begin + sum(gaps[:n], Fraction(0)) for n in range(len(gaps))]
    out = list(
        at_rate([(n, start, gap) for n, (start, gap) in enumerate(zip(starts, gaps, strict=True))], Fraction(fps))
    )
    assert out == sorted(out)
    assert abs(len(out) - float(sum(gaps)) * fps) <= 1

    def slot(time):
        return int(abs(time * fps) + Fraction(1, 2)) * (1 if time >= 0 else -1)

    for index, shown in enumerate(out):
        assert shown == max(n for n, start in enumerate(starts) if slot(start) <= slot(begin) + index)


def test_rotation_is_applied(tmp_path):
    plain = write_clip(tmp_path / "plain.mp4", [picture(n) for n in range(3)])
    turned = tmp_path / "turned.mp4"
    data = bytearray(plain.read_bytes())
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of other fields
    one, minus = (0x10000).to_bytes(4, "big"), (0xFFFF0000).to_bytes(4, "big")
    zero = bytes(4)
    data[at : at + 36] = zero + one + zero + minus + zero + zero + zero + zero + (0x40000000).to_bytes(4, "big")
    turned.write_bytes(data)
    frame = next(media.read_frames(turned))
    assert frame.shape == (64, 48, 3)
    assert frame[:10, -8:].mean() > 240  # the bright corner went from top left to top right: a quarter turn clockwise
    assert (media.probe(turned).video.width, media.probe(turned).video.height) == (48, 64)


def matrix(path, target, a, b, c, d):
    """The clip with another display matrix."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    words = [a, b, 0, c, d, 0, 0, 0, 0x4000]
    data[at : at + 36] = b"".join((word << 16 & 0xFFFFFFFF).to_bytes(4, "big") for word in words)
    target.write_bytes(data)
    return target


@pytest.mark.parametrize(
    ("numbers", "bright"),
    [
        ((1, 0, 0, 1), "top left"),
        ((-1, 0, 0, 1), "top right"),
        ((1, 0, 0, -1), "bottom left"),
        ((-1, 0, 0, -1), "bottom right"),
        ((0, 1, 1, 0), "top left"),
        ((0, 1, -1, 0), "top right"),
        ((0, -1, 1, 0), "bottom left"),
        ((0, -1, -1, 0), "bottom right"),
    ],
)
@pytest.mark.parametrize("read", [media.read_frames, media.read_reference_frames])
def test_every_way_a_picture_can_lie(tmp_path, read, numbers, bright):
    plain = write_clip(tmp_path / "plain.mp4", [picture(n) for n in range(2)])
    frame = next(read(matrix(plain, tmp_path / "turned.mp4", *numbers)))
    assert frame.shape == ((48, 64, 3) if numbers[0] else (64, 48, 3))
    rows = slice(0, 8) if "top" in bright else slice(-8, None)
    columns = slice(0, 8) if "left" in bright else slice(-8, None)
    assert frame[rows, columns].mean() > 230


def test_a_picture_of_two_frames_in_matroska_is_not_taken_for_a_truncated_one(tmp_path):
    path = write_clip(tmp_path / "two.mkv", [picture(n) for n in range(2)], sound=tone(0.6))
    assert numbers(media.read_frames(path)) == [0, 1]
    assert media.probe(path).video.duration_s == pytest.approx(0.08)
    assert media.probe(path).duration_s == pytest.approx(0.6)


@pytest.mark.parametrize("rule", ["fps", "program"])
def test_slots_are_counted_from_the_first_frame(tmp_path, rule):
    """So that 25 a second come out as they are, wherever they begin, and sound that begins with them stays in step."""
    chosen = []
    for begin in (Fraction(0), Fraction(13, 1000), Fraction(1, 50)):
        times = [begin + Fraction(n, 30) for n in range(30)]
        path = write_clip(tmp_path / "late.mkv", [picture(n) for n in range(30)], times=times, sound=tone(1.0))
        chosen.append(numbers(media.read_frames(path, rule=rule)))
        assert abs(media.read_audio(path, with_video=True).size - (16_000 - round(begin * 16_000))) <= 1
    assert chosen[0] == chosen[1] == chosen[2]


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


def test_sound_as_ffmpeg_makes_it(tmp_path):
    stereo = np.concatenate([tone(0.5, 48_000), tone(0.5, 48_000) // 3])
    path = write_clip(tmp_path / "stereo.wav", sound=stereo, rate=48_000)
    sound = media.read_audio(path)
    assert sound.dtype == np.int16
    assert abs(sound.size - 8000) <= 1
    expected = (9000 * (2 / 3)) * np.sin(2 * np.pi * 220 * np.arange(8000) / 16_000)
    assert np.abs(sound[200:7800] - expected[200:7800]).max() < 30


def test_sound_at_its_own_rate_is_untouched(tmp_path):
    path = write_clip(tmp_path / "mono.wav", sound=tone(0.2))
    assert (media.read_audio(path) == tone(0.2)[0]).all()


@pytest.mark.parametrize(("suffix", "codec"), [(".flac", "flac"), (".mp3", "libmp3lame"), (".ogg", "libopus")])
def test_sound_files(tmp_path, suffix, codec):
    sound = tone(0.5, channels=2)
    wav = write_clip(tmp_path / "sound.wav", sound=sound)
    path = tmp_path / f"sound{suffix}"
    with av.open(str(wav)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream(codec, rate=48_000 if codec == "libopus" else 16_000, layout="stereo")
        for frame in [*source.decode(audio=0), None]:
            target.mux(stream.encode(frame))
    assert abs(media.read_audio(path).size - 8000) < 2400


def test_sound_begins_with_the_first_frame(tmp_path):
    frames = [picture(n) for n in range(10)]
    late = write_clip(
        tmp_path / "late.mkv",
        frames,
        times=[Fraction(n, 25) + Fraction(1, 5) for n in range(10)],
        sound=tone(0.6),
        options={"avoid_negative_ts": "disabled"},
    )
    whole, cut = media.read_audio(late), media.read_audio(late, with_video=True)
    assert whole.size - cut.size == 3200
    assert (whole[3200:] == cut).all()


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
@pytest.mark.parametrize(("frames", "seconds"), [(10, 2.0), (50, 0.4)])
def test_streams_of_different_length(tmp_path, suffix, frames, seconds):
    audio_codec = "aac" if suffix == ".mp4" else "pcm_s16le"
    path = tmp_path / f"clip{suffix}"
    write_clip(path, [picture(n % 50) for n in range(frames)], sound=tone(seconds), audio_codec=audio_codec)
    assert len(list(media.read_frames(path))) == frames
    assert media.read_audio(path).size == pytest.approx(seconds * 16_000, abs=1024)


def test_a_hole_in_the_sound_is_filled_with_silence(tmp_path):
    path = tmp_path / "hole.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, 16_000):
            block = av.AudioFrame.from_ndarray(tone(0.5), format="s16", layout="mono")
            block.sample_rate, block.pts, block.time_base = 16_000, start, Fraction(1, 16_000)
            container.mux(stream.encode(block))
    sound = media.read_audio(path)
    assert sound.size == 24_000
    assert not sound[8_000:16_000].any()
    assert (sound[16_000:] == tone(0.5)[0]).all()


def test_reference_frames_lose_what_jpeg_loses(tmp_path):
    random = np.random.default_rng(1)
    frames = [random.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(6)]
    for pix_fmt in ("yuv420p", "yuv444p", "yuvj420p", "yuvj422p", "yuv422p10le", "gray"):
        codec = "mjpeg" if pix_fmt.startswith("yuvj") else "ffv1"
        path = write_clip(tmp_path / f"{pix_fmt}.mkv", frames, codec=codec, pix_fmt=pix_fmt)
        direct, lossy = (np.stack(list(read(path))) for read in (media.read_frames, media.read_reference_frames))
        assert lossy.shape == direct.shape == (6, 64, 64, 3)
        assert 2 < np.abs(lossy.astype(int) - direct).mean() < 60
