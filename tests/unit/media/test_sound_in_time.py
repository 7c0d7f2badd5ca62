"""Sound lies where its time stamps say, to the sample; what only rounds or trembles moves nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from tests.unit.media.media_files import tone

from penstock import media
from penstock.foundation.errors import UsageError

RATE = 16_000
PACKET = 320
"""20 ms"""


def noise(samples: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-9000, 9000, samples, dtype=np.int16)


def write_packets(path: Path, sound: np.ndarray, starts: Sequence[Fraction], *, rate: int = RATE) -> Path:
    """PCM in packets of 20 ms, each with its time stamp in seconds."""
    size = rate // 50
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for number, start in enumerate(starts):
            block = av.AudioFrame.from_ndarray(
                sound[None, number * size : (number + 1) * size], format="s16", layout="mono"
            )
            block.sample_rate, block.time_base, block.pts = rate, Fraction(1, rate), round(start * rate)
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return path


def expected(sound: np.ndarray, starts: Sequence[Fraction]) -> np.ndarray:
    """Each packet put where it belongs; what came first stays."""
    places = [round((start - starts[0]) * RATE) for start in starts]
    out = np.zeros(places[-1] + PACKET, np.int16)
    end = 0
    for number, place in enumerate(places):
        packet = sound[number * PACKET : (number + 1) * PACKET]
        skip = max(0, end - place)
        out[place + skip : place + PACKET] = packet[skip:]
        end = max(end, place + PACKET)
    return out


@pytest.mark.parametrize("hole_ms", [10, 21, 33, 60, 90, 99, 120, 250, 500])
def test_a_hole_of_any_length_is_silence_of_that_length(tmp_path: Path, hole_ms: int) -> None:
    sound = noise(60 * PACKET)
    starts = [Fraction(20 * n + (hole_ms if n >= 20 else 0), 1000) for n in range(60)]
    path = write_packets(tmp_path / "hole.mkv", sound, starts)
    read = media.read_audio(path)
    assert read.size == sound.size + hole_ms * 16
    assert (read == expected(sound, starts)).all()


def test_holes_that_follow_each_other_and_overlaps(tmp_path: Path) -> None:
    sound = noise(80 * PACKET)
    late = np.cumsum([{10: 30, 13: 45, 30: 60, 50: -15, 60: -12}.get(n, 0) for n in range(80)])
    starts = [Fraction(20 * n + int(late[n]), 1000) for n in range(80)]
    read = media.read_audio(write_packets(tmp_path / "holes.mkv", sound, starts))
    assert (read == expected(sound, starts)).all()


@pytest.mark.parametrize("factor", [Fraction(103, 100), Fraction(97, 100)])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_sound_that_runs_slow_or_fast_ends_where_its_time_stamps_say(
    tmp_path: Path, factor: Fraction, rate: int
) -> None:
    sound = np.zeros(150 * rate // 50, np.int16)
    beats = range(10, 150, 20)
    for beat in beats:
        sound[beat * rate // 50 + rate // 100] = 30_000
    starts = [Fraction(n, 50) * factor for n in range(150)]
    read = media.read_audio(write_packets(tmp_path / "slow.mkv", sound, starts, rate=rate))
    assert read.size == pytest.approx(float(starts[-1] + Fraction(1, 50)) * RATE, abs=3 * 16)
    heard = [
        int(np.argmax(part)) + start
        for start in range(0, read.size, 6400)
        if (part := read[start : start + 6400]).max() > 3000
    ]
    wanted = [float(starts[beat]) * RATE + 160 for beat in beats]
    assert heard == pytest.approx(wanted, abs=3 * 16)


def test_time_stamps_that_tremble_move_nothing_and_a_hole_among_them_does(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    sound = noise(100 * PACKET)
    trembling = [Fraction(20 * n + (int(random.integers(0, 12)) if n else 0), 1000) for n in range(100)]
    read = media.read_audio(write_packets(tmp_path / "trembling.mkv", sound, trembling))
    assert (read[: 90 * PACKET] == sound[: 90 * PACKET]).all()  # of the last ones nobody can tell
    holed = [start + (Fraction(100, 1000) if n >= 60 else 0) for n, start in enumerate(trembling)]
    read = media.read_audio(write_packets(tmp_path / "holed.mkv", sound, holed))
    assert read.size == pytest.approx(sound.size + 1600, abs=12 * 16)
    assert (read[: 50 * PACKET] == sound[: 50 * PACKET]).all()
    tail = sound[70 * PACKET : 90 * PACKET]
    assert any((read[at : at + tail.size] == tail).all() for at in range(70 * PACKET + 1600, 70 * PACKET + 1800))


# sound whose rate or channels change


def write_mp3(path: Path, parts: Sequence[tuple[np.ndarray, int]]) -> Path:
    """Parts, each ``(channels, n)`` at its own rate, one after the other as bare MP3 frames."""
    data = b""
    for sound, rate in parts:
        layout = "mono" if len(sound) == 1 else "stereo"
        encoder = av.CodecContext.create("libmp3lame", "w")
        encoder.sample_rate, encoder.layout, encoder.format = rate, layout, "s16p"
        encoder.time_base = Fraction(1, rate)
        encoder.open()
        for start in range(0, sound.shape[1] - encoder.frame_size, encoder.frame_size):
            block = np.ascontiguousarray(sound[:, start : start + encoder.frame_size])
            frame = av.AudioFrame.from_ndarray(block, format="s16p", layout=layout)
            frame.sample_rate, frame.pts = rate, start
            data += b"".join(bytes(packet) for packet in encoder.encode(frame))
        data += b"".join(bytes(packet) for packet in encoder.encode(None))
    path.write_bytes(data)
    return path


def in_matroska(path: Path) -> Path:
    target = path.with_suffix(".mkv")
    with av.open(str(path)) as source, av.open(str(target), "w") as out:
        stream = out.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return target


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rates", "channels"),
    [((44_100, 44_100), (1, 2)), ((44_100, 48_000), (1, 1)), ((48_000, 22_050, 44_100), (2, 1, 2))],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_sound_whose_rate_or_channels_change_is_read_whole(
    tmp_path: Path, rates: tuple[int, ...], channels: tuple[int, ...], wrapped: bool
) -> None:
    parts = [(tone(1.0, rate, count), rate) for rate, count in zip(rates, channels, strict=True)]
    path = write_mp3(tmp_path / "changing.mp3", parts)
    path = in_matroska(path) if wrapped else path
    with av.open(str(path)) as container:
        seconds = sum(Fraction(frame.samples, frame.sample_rate) for frame in container.decode(audio=0))
    sound = media.read_audio(path)
    # FFmpeg guesses the time stamps of bare MP3 from its first frames
    assert sound.size == pytest.approx(float(seconds) * RATE, abs=0.03 * RATE)
    for part in np.split(sound[1600:-1600], range(1600, sound.size - 3200, 1600)):  # 0.1 s each
        assert part.astype(float).std() > 2000


def test_a_rate_that_is_not_allowed_is_refused_wherever_it_begins(tmp_path: Path) -> None:
    path = write_mp3(tmp_path / "changing.mp3", [(tone(0.5, 22_050), 22_050), (tone(0.5, 48_000), 48_000)])
    with pytest.raises(UsageError, match="48000 Hz"):
        media.read_audio(path, limits=media.MediaLimits(sample_rate=30_000))
