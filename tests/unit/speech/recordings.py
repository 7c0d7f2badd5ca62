"""Recordings whose text is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

SPEECH = Path(__file__).parents[3] / "test-assets" / "speech"
TEXTS = {
    "en-us-f3-01": "We open the valve slowly, and the water begins to move.",
    "en-us-m3-01": "Good morning. Your new model has passed every test.",
    "en-gb-m3-fast-01": "Every Friday the famous pepper merchant walks from Bombay house to the busy market.",
}


def recording(name: str) -> npt.NDArray[np.int16]:
    """int16 ``(n,)`` at 16 kHz."""
    samples, rate = soundfile.read(SPEECH / f"{name}.flac", dtype="int16")
    assert rate == 16_000
    return np.asarray(samples, np.int16)
