"""LSE-D, LSE-C and offset of odd clips against FFmpeg and syncnet-python, end to end, in both protocols.

Nothing of Penstock takes part in the reference's numbers here: FFmpeg decodes, selects and resamples, the reference's
code scores. Needs the parity environment: its ``python -m pytest tests/parity``.
"""

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from tests.parity.odd_clips import moving, numbered, voice, write
from tests.parity.syncnet_reference import CONSTANT, evaluate, extract, frames_of, lossless, run

from penstock import media
from penstock.foundation.errors import UsageError
from penstock.metrics.lipsync import score_lipsync

RELATIVE = 1e-4
SPEECH = Path(__file__).parents[2] / "test-assets/speech"


def clip(folder, *, frames=13, rate=25, seconds=0.6, sound_rate=16_000, layout="mono", loudness=8000.0, **how):
    sound = voice(seconds, sound_rate, 2 if layout == "stereo" else 1, loudness)
    suffix = how.pop("suffix", "mp4")
    return write(
        folder / f"clip.{suffix}",
        moving(frames),
        rate=rate,
        sound=sound,
        sound_rate=sound_rate,
        layout=layout,
        **how,
    )


def turned(folder, *how):
    upright = clip(folder)
    run(*how, "-i", upright, "-c", "copy", folder / "turned.mp4")
    return folder / "turned.mp4"


def of_speech(folder):
    """A real voice beside the moving picture, 48 kHz stereo."""
    voice_file = SPEECH / "en-us-f3-01.flac"
    silent = write(folder / "silent.mp4", moving(20))
    to_stereo = ["-ac", "2", "-ar", "48000", "-t", "0.8", "-c:a", "aac", "-c:v", "copy"]
    run("-i", silent, "-ss", "0.5", "-i", voice_file, "-map", "0:v", "-map", "1:a", *to_stereo, folder / "clip.mp4")
    return folder / "clip.mp4"


IRREGULAR = [Fraction(time, 1000) for time in (0, 31, 70, 160, 170, 181, 300, 320, 371, 400, 455, 470, 520)]

ODD = {
    "speech, 48 kHz stereo": of_speech,
    "48 kHz stereo": lambda folder: clip(folder, sound_rate=48_000, layout="stereo"),
    "8 kHz mono": lambda folder: clip(folder, sound_rate=8_000),
    "sound shorter": lambda folder: clip(folder, seconds=0.4),
    "sound longer": lambda folder: clip(folder, seconds=1.1),
    "30 fps": lambda folder: clip(folder, rate=30, frames=17),
    "29.97 fps": lambda folder: clip(folder, rate=Fraction(30_000, 1001), frames=17),
    "50 fps": lambda folder: clip(folder, rate=50, frames=28),
    "24 fps": lambda folder: clip(folder, rate=24),
    "variable rate": lambda folder: clip(folder, times=IRREGULAR),
    "variable rate, mkv": lambda folder: clip(folder, times=IRREGULAR, suffix="mkv", sound_codec="pcm_s16le"),
    "six frames": lambda folder: clip(folder, frames=6),
    "seven frames": lambda folder: clip(folder, frames=7),
    "10 bit": lambda folder: clip(folder, pix_fmt="yuv420p10le"),
    "10 bit 4:2:2": lambda folder: clip(folder, pix_fmt="yuv422p10le"),
    "4:2:2": lambda folder: clip(folder, pix_fmt="yuv422p"),
    "4:4:4": lambda folder: clip(folder, pix_fmt="yuv444p"),
    "full range": lambda folder: clip(folder, color_range=2),
    "full range 4:2:2": lambda folder: clip(folder, pix_fmt="yuvj422p", codec="mjpeg", suffix="avi"),
    "interlaced": lambda folder: clip(folder, options={"x264-params": "interlaced=1:tff=1"}),
    "on its side": lambda folder: turned(folder, "-display_rotation", "90"),
    "mirrored": lambda folder: turned(folder, "-display_hflip"),
}


def agrees(score, expected, *, times=1):
    """Within the tolerance; LSE-C is a difference of two means, whose own rounding in the reference is 2e-6."""
    assert score.lse_d == pytest.approx(expected.lse_d, rel=RELATIVE)
    assert score.lse_c == pytest.approx(expected.lse_c, rel=times * RELATIVE, abs=1e-5)
    assert score.offset_frames == expected.offset_frames
    assert score.shift_distances == pytest.approx(expected.shift_distances, rel=RELATIVE)


@pytest.mark.parametrize("kind", ODD)
def test_both_protocols(net, extractor, tmp_path, kind):
    path = ODD[kind](tmp_path)
    sound = media.read_audio(path, with_video=True)
    # FFmpeg writes its version into each JPEG file, and its rate control counts those bytes, too: another version moves
    # a frame now and then by one quantiser step. On the reference's own files there is no such difference.
    extract(path, tmp_path, "-r", "25")
    theirs = np.stack([cv2.imread(str(name)) for name in sorted(tmp_path.glob("*.jpg"))])
    mine = np.stack(list(media.read_reference_frames(path)))
    assert (mine == theirs).mean() > 0.9
    expected = evaluate(net, tmp_path)
    agrees(score_lipsync(theirs, sound, extractor), expected)
    agrees(score_lipsync(mine, sound, extractor), expected, times=20)
    lossless(frames_of(path, "-vf", CONSTANT), tmp_path)
    agrees(score_lipsync(media.read_frames(path), sound, extractor), evaluate(net, tmp_path))


def test_features_of_frames_and_sound_that_ffmpeg_decoded(net, extractor, tmp_path):
    path = ODD["30 fps"](tmp_path)
    theirs = np.stack(list(frames_of(path, "-vf", CONSTANT)))
    with torch.no_grad():
        stack = torch.from_numpy(theirs.copy()).permute(3, 0, 1, 2)[None].float()
        expected = torch.cat([net.forward_lip(stack[:, :, i : i + 5]) for i in range(len(theirs) - 4)]).numpy()
    columns = np.zeros((13, 4 * (len(theirs) - 5) + 20), np.float32)
    lips, _ = extractor.features(np.stack(list(media.read_frames(path))), columns)
    assert np.abs(lips - expected).max() <= RELATIVE * np.abs(expected).max()
    assert np.linalg.norm(lips - expected) <= RELATIVE * np.linalg.norm(expected)


# Where the reference is wrong or crashes


def test_a_late_sound_is_kept_in_its_place(net, extractor, tmp_path):
    """The reference takes the sound from its first sample on, here 200 ms too early; Penstock's number is the one
    that the reference gives once the silence before it is put back.
    """
    path = clip(tmp_path, suffix="mkv", sound_codec="pcm_s16le", sound_start=Fraction(1, 5))
    extract(path, tmp_path)
    lossless(frames_of(path), tmp_path)
    wrong = evaluate(net, tmp_path)
    late = ["-ac", "1", "-vn", "-acodec", "pcm_s16le", "-ar", "16000", "-af", "adelay=200"]
    run("-i", path, *late, tmp_path / "audio.wav")
    right = evaluate(net, tmp_path)
    score = score_lipsync(media.read_frames(path), media.read_audio(path, with_video=True), extractor)
    agrees(score, right)
    assert np.abs(right.shift_distances / wrong.shift_distances - 1).max() > 10 * RELATIVE


@pytest.mark.parametrize(
    ("frames", "seconds"), [(1, 0.6), (5, 0.6), (14, 0.2)], ids=["one frame", "five frames", "0.2 s of sound"]
)
def test_too_short_crashes_the_reference_and_is_one_message_here(net, extractor, tmp_path, frames, seconds):
    path = clip(tmp_path, frames=frames, seconds=seconds, suffix="mkv", sound_codec="pcm_s16le")
    extract(path, tmp_path)
    with pytest.raises((RuntimeError, ValueError)):
        evaluate(net, tmp_path)
    with pytest.raises(UsageError, match="too short for lip sync"):
        score_lipsync(media.read_frames(path), media.read_audio(path, with_video=True), extractor)


def test_no_sound_crashes_the_reference_and_is_one_message_here(net, tmp_path):
    path = write(tmp_path / "clip.mp4", moving(8))
    lossless(frames_of(path), tmp_path)
    with pytest.raises(FileNotFoundError):
        evaluate(net, tmp_path)
    with pytest.raises(UsageError, match="the file has no sound"):
        media.read_audio(path, with_video=True)


def test_silence_has_a_value_in_the_reference_and_a_reason_here(net, extractor, tmp_path):
    path = clip(tmp_path, loudness=0.0)
    extract(path, tmp_path)
    lossless(frames_of(path), tmp_path)
    assert np.isfinite(evaluate(net, tmp_path).lse_d)
    with pytest.raises(UsageError, match="the sound is silent"):
        score_lipsync(media.read_frames(path), media.read_audio(path, with_video=True), extractor)


def test_another_size_is_one_message_here(extractor, tmp_path):
    """Its network has a fixed size: another one is a traceback there."""
    path = write(tmp_path / "clip.mp4", (numbered(n) for n in range(8)), sound=voice(0.4, 16_000))
    with pytest.raises(UsageError, match="Crop the face first"):
        score_lipsync(media.read_frames(path), media.read_audio(path, with_video=True), extractor)
