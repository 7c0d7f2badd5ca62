"""Words and sounds."""

from __future__ import annotations

from penstock.speech.acoustic_model import english_model
from penstock.speech.sounds import BILABIALS


def test_bilabials_are_sounds_of_the_model() -> None:
    assert english_model().sounds.keys() >= BILABIALS
    assert "F" not in BILABIALS
