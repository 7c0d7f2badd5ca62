"""Sound of every odd kind against FFmpeg's own samples, one by one, and MFCC against python_speech_features.

Needs the parity environment (python_speech_features, FFmpeg 7.0 on the PATH): its ``python -m pytest tests/parity``.
"""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import python_speech_features
from tests.parity.odd_clips import numbered, voice, write
from tests.parity.syncnet_reference import run, samples_of

from penstock import media
from penstock.foundation.errors import UsageError
from penstock.metrics.mfcc import mfcc

RELATIVE = 1e-4
SPEECH = Path(__file__).parents[2] / "test-assets/speech"

SOUNDS = {
    "aac 16 kHz": ("mp4", "aac", 16_000, "mono"),
    "aac 48 kHz stereo": ("mp4", "aac", 48_000, "stereo"),
    "aac 44.1 kHz stereo": ("mp4", "aac", 44_100, "stereo"),
    "aac 22.05 kHz": ("mp4", "aac", 22_050, "mono"),
    "aac 8 kHz": ("mp4", "aac", 8_000, "mono"),
    "aac 5.1": ("mp4", "aac", 48_000, "5.1"),
    "opus": ("webm", "libopus", 48_000, "stereo"),
    "mp3": ("mp3", "libmp3lame", 44_100, "stereo"),
    "mp3 in mp4": ("mp4", "libmp3lame", 44_100, "stereo"),
    "flac": ("flac", "flac", 48_000, "stereo"),
    "pcm 48 kHz stereo": ("wav", "pcm_s16le", 48_000, "stereo"),
    "pcm 8 kHz": ("wav", "pcm_s16le", 8_000, "mono"),
    "pcm 11.025 kHz": ("avi", "pcm_s16le", 11_025, "mono"),
    "float 96 kHz": ("wav", "pcm_f32le", 96_000, "stereo"),
    "24 bit": ("wav", "pcm_s24le", 48_000, "stereo"),
    "8 bit": ("wav", "pcm_u8", 8_000, "mono"),
    "7.1": ("wav", "pcm_s16le", 48_000, "7.1"),
    "mu-law": ("wav", "pcm_mulaw", 8_000, "mono"),
}
CHANNELS = {"mono": 1, "stereo": 2, "5.1": 6, "7.1": 8}


def record(path, codec, rate, layout, *, seconds=1.5, loudness=8000.0):
    sound = voice(seconds, rate, CHANNELS[layout], loudness)
    return write(path, sound=sound, sound_rate=rate, sound_codec=codec, layout=layout)


@pytest.mark.parametrize("kind", SOUNDS)
def test_every_sample_is_ffmpegs(tmp_path, kind):
    """Mixing and resampling go through the same library (libswresample, its defaults): there is no difference. Lossy
    decoders of two FFmpeg releases differ in the last bit of a float, which may round a sample the other way.
    """
    suffix, codec, rate, layout = SOUNDS[kind]
    path = record(tmp_path / f"sound.{suffix}", codec, rate, layout)
    mine = media.read_audio(path).astype(int)
    for options in ((), ("-af", "aresample=async=1")):
        differences = np.abs(mine - samples_of(path, *options))
        assert differences.max() <= (0 if codec.startswith(("pcm", "flac")) else 1)
        assert differences.mean() < 0.01


@pytest.mark.parametrize("loudness", [0.0, 40_000.0], ids=["silent", "clipped"])
def test_extremes(tmp_path, loudness):
    path = record(tmp_path / "sound.wav", "pcm_s16le", 48_000, "stereo", loudness=loudness)
    mine = media.read_audio(path)
    assert (mine == samples_of(path)).all()
    assert not mine.any() if not loudness else mine.max() == 32_767


@pytest.mark.parametrize("frames", [1, 7, 159, 160, 161, 479])
def test_hardly_any_sound(tmp_path, frames):
    path = record(tmp_path / "sound.wav", "pcm_s16le", 48_000, "mono", seconds=frames / 48_000)
    assert (media.read_audio(path) == samples_of(path)).all()


def test_priming_of_aac_in_matroska_is_cut_off(tmp_path):
    """FFmpeg up to 7 leaves the encoder's 1024 silent samples in: the sound would come 21 ms late."""
    path = record(tmp_path / "sound.mkv", "aac", 48_000, "stereo")
    mine, theirs = media.read_audio(path), samples_of(path)
    late = theirs.size - mine.size
    assert late in (0, 341)  # FFmpeg 8 cuts it off, too
    original = record(tmp_path / "original.wav", "pcm_s16le", 48_000, "stereo")
    expected = media.read_audio(original).astype(float)
    shifts = [np.dot(expected[500:20_000], mine[500 + shift : 20_000 + shift].astype(float)) for shift in range(-9, 10)]
    assert abs(int(np.argmax(shifts)) - 9) <= 1


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("late", [Fraction(0), Fraction(3, 10)])
def test_sound_begins_with_the_picture(tmp_path, suffix, late):
    """The reference takes the sound from its own first sample on, so a late sound becomes a sound 300 ms early; here
    the time before it is silence.
    """
    codec = "aac" if suffix == "mp4" else "pcm_s16le"
    sound = voice(1.6, 16_000)
    path = write(
        tmp_path / f"clip.{suffix}",
        (numbered(n) for n in range(50)),
        sound=sound,
        sound_codec=codec,
        sound_start=late,
    )
    mine = media.read_audio(path, with_video=True)
    silence = round(late * 16_000)
    theirs = samples_of(path)
    if late and suffix == "mp4":  # the AAC priming lies before the sound's first time stamp
        silence -= 1024
    assert (mine[silence:] == theirs).all()
    assert not mine[:silence].any()


def stamped(path, times, *, codec="pcm_s16le"):
    """Sound in packets whose time stamps are ``times``, an expression of FFmpeg's ``asetpts``."""
    original = record(path.with_name("original.wav"), "pcm_s16le", 16_000, "mono")
    size = 1024 if codec == "aac" else 320
    run("-i", original, "-af", f"asetnsamples={size},asetpts='{times}'", "-c:a", codec, path)
    return path


IN_TIME = ("-af", "aresample=async=1:min_hard_comp=0.002")
"""FFmpeg puts each sample where its time stamp says, from 2 ms on; its default is 100."""


@pytest.mark.parametrize("hole", [0.01, 0.033, 0.06, 0.09, 0.12, 0.5])
@pytest.mark.parametrize(("suffix", "codec"), [("mkv", "pcm_s16le"), ("mp4", "aac")])
def test_a_hole_is_ffmpegs_to_the_sample(tmp_path, suffix, codec, hole):
    path = stamped(tmp_path / f"hole.{suffix}", f"PTS+if(gte(T,0.6),{hole}/TB,0)", codec=codec)
    mine, theirs = media.read_audio(path).astype(int), samples_of(path, *IN_TIME)
    assert mine.size == theirs.size
    assert np.abs(mine - theirs).max() <= (1 if codec == "aac" else 0)


def test_sound_that_runs_slow_is_ffmpegs_to_the_sample(tmp_path):
    path = stamped(tmp_path / "slow.mkv", "PTS*1.03")
    assert (media.read_audio(path) == samples_of(path, *IN_TIME)).all()


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_track_is_ffmpegs(tmp_path, suffix):
    first = record(tmp_path / "first.wav", "pcm_s16le", 16_000, "mono", loudness=0.0)
    second = record(tmp_path / "second.wav", "pcm_s16le", 16_000, "mono")
    for number, marks in enumerate((("0", "default"), ("default", "0"), ("0", "0"))):
        path = tmp_path / f"{number}.{suffix}"
        tracks = ["-map", "0:a", "-map", "1:a", "-c:a", "pcm_s16le" if suffix == "mkv" else "aac"]
        run("-i", first, "-i", second, *tracks, "-disposition:a:0", marks[0], "-disposition:a:1", marks[1], path)
        assert np.abs(media.read_audio(path).astype(int) - samples_of(path)).max() <= 1


def test_wav_from_a_pipe_is_ffmpegs(tmp_path):
    path = tmp_path / "pipe.wav"
    path.write_bytes(run("-i", record(tmp_path / "a.flac", "flac", 16_000, "mono"), "-f", "wav", "-"))
    assert (media.read_audio(path) == samples_of(path)).all()


def test_no_sound(tmp_path):
    """The reference's FFmpeg fails and its pipeline stops with a traceback."""
    path = write(tmp_path / "clip.mp4", (numbered(n) for n in range(10)))
    with pytest.raises(UsageError, match="no sound"):
        media.read_audio(path)


# MFCC


def expected(sound):
    return python_speech_features.mfcc(sound, 16_000).T


@pytest.mark.parametrize("name", sorted(path.name for path in SPEECH.glob("*-01.flac")))
def test_mfcc_of_speech(name):
    sound = media.read_audio(SPEECH / name)
    reference = expected(sound)
    assert np.abs(mfcc(sound) - reference).max() <= RELATIVE * np.abs(reference).max()
    assert mfcc(sound) == pytest.approx(reference, rel=RELATIVE, abs=1e-4)


@pytest.mark.parametrize("samples", [1, 2, 399, 400, 401, 560, 561, 3840, 640 * 6 + 1])
@pytest.mark.parametrize("kind", ["noise", "silence", "least", "loudest"])
def test_mfcc_of_odd_sound(samples, kind):
    random = np.random.default_rng(samples)
    sound = {
        "noise": random.integers(-9000, 9000, samples),
        "silence": np.zeros(samples),
        "least": np.full(samples, -32_768),
        "loudest": np.where(np.arange(samples) % 2, 32_767, -32_768),
    }[kind].astype(np.int16)
    assert mfcc(sound) == pytest.approx(expected(sound), rel=RELATIVE, abs=1e-4)
