"""Frames at a constant rate are those that FFmpeg's fps filter shows."""

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


@pytest.mark.slow
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
