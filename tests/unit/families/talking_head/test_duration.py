"""A video is to be as long as its speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from penstock.families.talking_head.duration import seconds_of_sound
from penstock.foundation.errors import UsageError


@pytest.mark.parametrize(("rate", "samples", "seconds"), [(16_000, 12_345, 0.772), (48_000, 48_000, 1.0)])
def test_to_the_millisecond_whatever_the_rate(tmp_path: Path, rate: int, samples: int, seconds: float) -> None:
    sound = (3000 * np.sin(np.arange(samples) / 9)).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", sound, rate)
    assert seconds_of_sound(tmp_path / "a.wav") == pytest.approx(seconds, abs=0.001)


def test_no_sound_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(0, np.int16), 16_000)
    with pytest.raises(UsageError):
        seconds_of_sound(tmp_path / "a.wav")
