"""The features that the acoustic model hears."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.speech.recordings import recording

from penstock.speech.cepstra import features


def test_shape_and_mean() -> None:
    found = features(recording("en-us-f3-01"))
    assert found.shape == (1 + (recording("en-us-f3-01").size - 410) // 160, 3, 13)
    assert found[:, 0].mean(axis=0) == pytest.approx(np.zeros(13), abs=1e-9)


@given(st.integers(0, 2000))
def test_any_length(samples: int) -> None:
    found = features(np.zeros(samples, np.int16))
    assert len(found) == (0 if samples < 410 else 1 + (samples - 410) // 160)
    assert np.isfinite(found).all()


def test_loudness_moves_little() -> None:
    sound = recording("en-us-f3-01")[:16_000]
    loud, quiet = features(sound), features((sound // 2).astype(np.int16))
    spoken = loud[:, 0, 0] > 0
    assert np.abs(loud - quiet)[spoken, 0, 1:].mean() < 1.0


def test_differences_are_those_of_the_cepstra() -> None:
    found = features(recording("en-us-f3-01"))
    assert found[10, 1] == pytest.approx(found[12, 0] - found[8, 0])
    assert found[10, 2] == pytest.approx(found[13, 0] - found[9, 0] - found[11, 0] + found[7, 0])
