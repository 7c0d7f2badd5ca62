"""LSE-D, LSE-C and offset from known features, and how a clip is cut into windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.metrics.lipsync import compare, score_lipsync, shift_distances


def naive_distances(video, audio):
    padded = np.pad(audio.astype(float), ((15, 15), (0, 0)))
    shifted = (padded[shift : shift + len(video)] for shift in range(31))
    return np.stack([np.sqrt(((video - near + 1e-6) ** 2).sum(axis=1)) for near in shifted], axis=1)


@pytest.mark.slow
@given(st.integers(1, 70), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_distances_against_a_naive_implementation(count, size, seed):
    random = np.random.default_rng(seed)
    video, audio = random.normal(size=(2, count, size)).astype(np.float32)
    mine = shift_distances(video, audio)
    assert mine.shape == (count, 31)
    wanted = naive_distances(video, audio)
    assert np.all(np.abs(mine - wanted) <= np.maximum(1e-5 * wanted, 1e-6))  # approx takes seconds for all of them


@pytest.mark.parametrize("count", [1, 5, 245, 1300])
def test_scores_against_a_naive_implementation(count):
    random = np.random.default_rng(count)
    video, audio = random.normal(size=(2, count, 24)).astype(np.float32)
    distances = naive_distances(video, audio)
    means = distances.mean(axis=0)
    result = compare(video, audio)
    assert result.lse_d == pytest.approx(means.min(), rel=1e-6)
    assert result.lse_c == pytest.approx(np.median(means) - means.min(), rel=1e-4)
    assert result.offset_frames == 15 - means.argmin()
    assert result.shift_distances == pytest.approx(means, rel=1e-6)
    assert result.frame_distances == pytest.approx(distances[:, means.argmin()], rel=1e-5)
    assert result.frame_confidences.shape == (count,)


@pytest.mark.parametrize("lead", [-15, -7, 0, 3, 15])
def test_the_offset_is_the_shift_of_the_sound(lead):
    features = np.random.default_rng(0).normal(size=(120, 16)).astype(np.float32)
    video, audio = (
        features[20:100],
        features[20 + lead : 100 + lead],
    )  # window i of the sound is that of the lips at i + lead
    result = compare(video, audio)
    assert result.offset_frames == lead
    assert result.lse_d < 2.5
    assert result.lse_c > 1


class Recorder:
    """An extractor whose features tell which window they are of: the first frame's number, the first column."""

    def __init__(self):
        self.stacks = []

    def features(self, frames, mfcc):
        windows = len(frames) - 4
        assert mfcc.shape[1] == 4 * (windows - 1) + 20
        self.stacks.append(len(frames))
        first = frames[:windows, 0, 0, :2].astype(np.float32) @ np.array([1, 256], np.float32)
        return np.stack([first, first], 1), np.stack([mfcc[0, : 4 * windows : 4]] * 2, 1)


def numbered(count):
    for number in range(count):
        frame = np.zeros((224, 224, 3), np.uint8)
        frame[..., 0], frame[..., 1] = number % 256, number // 256
        yield frame


@pytest.mark.parametrize(
    ("frames", "samples", "windows"),
    [
        (6, 16_000, 1),
        (7, 7 * 640, 2),
        (65, 99_999, 60),
        (66, 99_999, 61),
        (300, 300 * 640 - 1, 294),
        (200, 70 * 640, 65),
    ],
)
def test_windows_are_those_of_the_reference(frames, samples, windows):
    """last = min(frames, samples // 640) - 5, each window once, in order, however the clip is cut into stacks."""
    extractor = Recorder()
    audio = np.random.default_rng(0).integers(-9000, 9000, samples).astype(np.int16)
    seen = []
    original = extractor.features

    def features(stack, mfcc):
        video, sound = original(stack, mfcc)
        seen.extend(video[:, 0].astype(int))
        return video, sound

    extractor.features = features
    result = score_lipsync(numbered(frames), audio, extractor)
    assert seen == list(range(windows))
    assert len(result.frame_distances) == windows
    assert max(extractor.stacks) <= 64


@pytest.mark.parametrize(("frames", "samples", "usable"), [(0, 16_000, 0), (5, 16_000, 5), (30, 0, 0), (30, 3839, 5)])
def test_clips_too_short_are_refused(frames, samples, usable):
    with pytest.raises(UsageError, match=f"too short for lip sync: {usable} frames") as caught:
        score_lipsync(numbered(frames), np.zeros(samples, np.int16), Recorder(), where="short.mp4")
    assert "short.mp4" in str(caught.value)
    assert "at least 6 frames" in caught.value.todo


def speech(samples, peak):
    """Something of which the loudest stretch has the root mean square ``peak`` / √2."""
    return (peak * np.sin(np.arange(samples) / 9)).astype(np.int16)


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(16_000, np.int16),
        np.random.default_rng(1).integers(-2, 3, 16_000).astype(np.int16),  # dither
        np.full(16_000, 900, np.int16),  # nothing but an offset
        np.where(np.arange(16_000) // 40 % 2, 8, -8).astype(np.int16),  # the least of mu-law
        np.concatenate([np.zeros(30 * 640, np.int16), speech(9000, 8000)]),  # only after the last frame
    ],
    ids=["zeros", "dither", "offset", "mu-law", "after the picture"],
)
def test_silence_is_not_scored(sound):
    with pytest.raises(UsageError, match="the sound is silent: nothing in it is louder than -70 dBFS") as caught:
        score_lipsync(numbered(30), sound, Recorder(), where="silent.mp4")
    assert "silent.mp4" in str(caught.value)
    assert caught.value.todo


@pytest.mark.parametrize(
    "sound",
    [speech(19_200, 30), np.concatenate([np.zeros(12_000, np.int16), speech(1000, 300), np.zeros(6200, np.int16)])],
    ids=["very quiet", "one word"],
)
def test_quiet_sound_is_scored(sound):
    assert len(score_lipsync(numbered(30), sound, Recorder()).frame_distances) == 25


@pytest.mark.parametrize("frame", [np.zeros((256, 224, 3), np.uint8), np.zeros((224, 224, 3), np.float32)])
def test_frames_of_another_kind_are_refused(frame):
    with pytest.raises(UsageError, match=r"not uint8 \(224, 224, 3\)"):
        score_lipsync([frame] * 9, np.zeros(16_000, np.int16), Recorder())
