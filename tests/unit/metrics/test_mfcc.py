"""MFCC against python_speech_features, which SyncNet's reference calls."""

import numpy as np
import pytest
import python_speech_features
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from penstock.foundation.errors import UsageError
from penstock.metrics.mfcc import column_count, mfcc


def reference(audio):
    return python_speech_features.mfcc(audio, 16_000).T


def close(found, wanted, *, absolute):
    """As `pytest.approx` compares, which takes seconds for arrays of this size."""
    return bool(np.all(np.abs(found - wanted) <= np.maximum(1e-5 * np.abs(wanted), absolute)))


@pytest.mark.slow
@given(arrays.arrays(np.int16, st.integers(1, 3000)))
def test_equal_to_the_reference(audio):
    mine = mfcc(audio)
    assert mine.dtype == np.float32
    wanted = reference(audio)
    assert mine.shape == (13, column_count(audio.size)) == wanted.shape
    assert close(mine, wanted, absolute=1e-3)


@pytest.mark.parametrize("kind", ["speech", "silence", "loud"])
def test_equal_to_the_reference_on_long_sound(kind):
    random = np.random.default_rng(0)
    at = np.arange(16_000 * 25) / 16_000
    audio = {
        "speech": 6000 * np.sin(2 * np.pi * 180 * at) * np.abs(np.sin(9 * at)) + random.normal(0, 200, at.size),
        "silence": np.zeros(at.size),
        "loud": np.where(random.random(at.size) < 0.5, -32_768, 32_767),
    }[kind].astype(np.int16)
    mine, wanted = mfcc(audio), reference(audio)
    assert mine.shape == wanted.shape
    assert close(mine, wanted, absolute=1e-4)


@given(st.integers(1, 100_000))
def test_column_count(samples):
    padded = 400 + 160 * (column_count(samples) - 1)
    assert padded >= samples
    assert column_count(samples) == 1 or padded - 160 < samples


@pytest.mark.parametrize(
    "audio",
    [np.zeros(0, np.int16), np.zeros(800, np.float32), np.zeros((1, 800), np.int16)],
    ids=["empty", "float", "2-d"],
)
def test_what_is_not_int16_mono_is_refused(audio):
    with pytest.raises(UsageError, match="int16 samples"):
        mfcc(audio)
