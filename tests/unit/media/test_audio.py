"""Sound as FFmpeg makes it, from every kind of file."""

from fractions import Fraction

import av
import numpy as np
import pytest
from tests.unit.media.media_files import picture, tone, write_clip

from penstock import media


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
