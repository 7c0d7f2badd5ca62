"""A text laid along its recording."""

from __future__ import annotations

import re

import numpy as np
import pytest
from tests.unit.speech.recordings import SPEECH, TEXTS, recording

from penstock.foundation.errors import UsageError
from penstock.speech.align import align
from penstock.speech.sounds import BILABIALS


@pytest.mark.parametrize("name", TEXTS)
def test_every_word_has_its_time(name: str) -> None:
    sound = recording(name)
    found = align(sound, TEXTS[name])
    assert [word.text for word in found.words] == re.findall(r"[a-z]+", TEXTS[name].lower())
    times = [time for word in found.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert 0 <= times[0] < times[-1] <= sound.size / 16_000 + 0.01
    assert all(sound.end_s > sound.start_s for sound in found.sounds)
    assert -4.0 < found.fit < 0
    assert found == align(sound, TEXTS[name])


def test_sounds_are_where_the_synthesiser_says_them() -> None:
    """The mouth's track comes of espeak-ng's own phoneme times, and is shut where it says p, b or m."""
    # what is said in the 3.4 s that were kept
    texts = {
        "held-out-09": "Thomas hopes to visit Boston with a group of students. Maybe we",
        "held-out-10": "Maybe we should wait until the museum opens again.",
    }
    for row in (SPEECH / "ORIGIN.md").read_text(encoding="utf-8").splitlines():
        if (name := row.removeprefix("| ").partition(".flac")[0]) in texts:
            texts[name] = row.split("|")[6]
    for name, text in texts.items():
        track = np.load(SPEECH / f"{name}.npz")["track"][:, 0]
        middles = (np.arange(len(track)) + 0.5) / 25
        words = re.findall(r"[\w']+", text)
        fits = {count: _fit(name, words[:count]) for count in range(6, len(words) + 1)}
        best = max(fits, key=lambda count: fits[count])
        sounds = [each for each in align(recording(name), " ".join(words[:best])).sounds if each.symbol in BILABIALS]
        assert len(sounds) >= 4
        for sound in sounds:
            inside = (middles > sound.start_s - 0.02) & (middles < sound.end_s + 0.02)
            assert track[inside].min() < 0.1, sound


def _fit(name: str, words: list[str]) -> float:
    try:
        return align(recording(name), " ".join(words)).fit
    except UsageError:
        return -99.0


def test_another_text_is_told() -> None:
    with pytest.raises(UsageError, match="does not say the text"):
        align(recording("en-us-m3-01"), TEXTS["en-us-f3-01"].rpartition(",")[0])
    with pytest.raises(UsageError, match="does not say the text"):
        align(recording("de-f3-01"), TEXTS["en-us-f3-01"])


def test_a_recording_that_is_too_short() -> None:
    for samples in (0, 300, 8_000):
        with pytest.raises(UsageError, match="too short"):
            align(recording("en-us-f3-01")[:samples], TEXTS["en-us-f3-01"])


def test_a_recording_that_is_too_long_for_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.speech.align.MAX_STEPS", 1 << 14)
    with pytest.raises(UsageError, match=r"the recording of 3 s is too long for its text of \d+ words"):
        align(recording("en-us-f3-01"), TEXTS["en-us-f3-01"])


def test_silence_says_nothing() -> None:
    with pytest.raises(UsageError, match="does not say the text"):
        align(np.zeros(48_000, np.int16), "Bob moves a boat.")
