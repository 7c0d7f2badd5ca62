"""How long the video of a case is to be where the case does not say, as long as its audio; and how long one is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock.contract.placeholders import Scalar
from penstock.evaluation.measurer import Value
from penstock.foundation.errors import UsageError
from penstock.media import MediaInfo, read_audio

RATE = 16_000
"""Samples a second in which the audio is counted."""
DURATION_SLACK_S = 0.05
"""A header's duration is believed while it is this close to what was decoded: it is exact where 25 a second are not."""


def seconds_of_sound(file: Path) -> float:
    """The length of a recording in seconds, to the millisecond.

    Raises:
        UsageError: it cannot be decoded, or holds no sound.
    """
    samples = read_audio(file, rate=RATE).size
    if not samples:
        raise UsageError("there is no sound in the file", todo="Give a recording.")
    return round(samples / RATE, 3)


def asked_seconds(inputs: Mapping[str, Path], given: Mapping[str, Scalar]) -> Value:
    """How long the video should be: the parameter ``duration``, or else as long as the case's sound."""
    asked = given.get("duration")
    if isinstance(asked, int | float) and not isinstance(asked, bool):
        return float(asked)
    if "audio" not in inputs:
        return "the case says no duration and has no audio"
    try:
        return read_audio(inputs["audio"], rate=RATE).size / RATE
    except UsageError as error:
        return f"the case's audio cannot be read: {error.what}"


def shown_seconds(decoded: float, info: MediaInfo) -> float:
    """How long a video's picture is, in seconds: as its header says, if that is close to what was decoded."""
    said = info.video.duration_s if info.video is not None else None
    return said if decoded and said is not None and abs(said - decoded) <= DURATION_SLACK_S else decoded
