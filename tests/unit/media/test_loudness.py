"""Whether there is anything to hear."""

from __future__ import annotations

import numpy as np
import pytest

from penstock.media.loudness import SILENT_DBFS, STRETCH_SAMPLES, is_silent


def noise(amplitude: float, count: int = 16_000) -> np.ndarray:
    return np.round(amplitude * np.random.default_rng(1).normal(size=count)).astype(np.int16)


def test_what_lies_under_the_limit_is_silence() -> None:
    limit = 32_768 * 10 ** (SILENT_DBFS / 20)
    assert limit == pytest.approx(10.36, abs=0.01)
    assert is_silent(noise(limit / 2))
    assert not is_silent(noise(limit * 2))


def test_constant_is_silent_however_high() -> None:
    assert is_silent(np.full(16_000, 12_000, np.int16))


def test_one_stretch_is_enough() -> None:
    sound = np.zeros(16_000, np.int16)
    sound[-STRETCH_SAMPLES:] = noise(200, STRETCH_SAMPLES)
    assert not is_silent(sound)
    assert is_silent(sound[:0])
    # the last, shorter stretch counts as well
    assert not is_silent(sound[STRETCH_SAMPLES // 2 :])
