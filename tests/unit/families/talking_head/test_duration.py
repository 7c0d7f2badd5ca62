"""A video is to be as long as its speech."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from penstock.families.talking_head.duration import asked_seconds, seconds_of_sound, shown_seconds
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


def test_how_long_a_video_is_asked_to_be(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.ones(8_000, np.int16), 16_000)
    sound = {"audio": tmp_path / "a.wav"}
    assert asked_seconds(sound, {"duration": 3}) == 3.0
    assert asked_seconds(sound, {"duration": True}) == 0.5
    assert "no duration" in str(asked_seconds({}, {}))
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    assert "cannot be read" in str(asked_seconds({"audio": tmp_path / "b.wav"}, {}))


@pytest.mark.parametrize(("said", "seconds"), [(1.03, 1.03), (1.5, 1.0), (None, 1.0)])
def test_a_header_is_believed_while_it_is_close(said: float | None, seconds: float) -> None:
    info = SimpleNamespace(video=SimpleNamespace(duration_s=said))
    assert shown_seconds(1.0, info) == seconds  # type: ignore[arg-type]
