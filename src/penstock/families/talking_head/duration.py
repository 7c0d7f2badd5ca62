"""How long the video of a case is to be where the case does not say: as long as its audio."""

from __future__ import annotations

from pathlib import Path

from penstock.foundation.errors import UsageError
from penstock.media import read_audio

RATE = 16_000
"""Samples a second in which the audio is counted."""


def seconds_of_sound(file: Path) -> float:
    """The length of a recording in seconds, to the millisecond.

    Raises:
        UsageError: it cannot be decoded, or holds no sound.
    """
    samples = read_audio(file, rate=RATE).size
    if not samples:
        raise UsageError("there is no sound in the file", todo="Give a recording.")
    return round(samples / RATE, 3)
