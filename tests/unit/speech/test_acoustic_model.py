"""PocketSphinx's model, read without PocketSphinx."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from tests.unit.speech.recordings import recording

from penstock.foundation.errors import WorldError
from penstock.speech import acoustic_model
from penstock.speech.acoustic_model import english_model, model_folder
from penstock.speech.cepstra import features


def test_what_is_in_it() -> None:
    model = english_model()
    assert len(model.sounds) == 42
    assert model.means.shape == (42, 3, 128, 13)
    # each mixture is one: its weights add up to 1, but for the steps of a tenth in which their logarithms are stored
    total = np.exp(model.weights).sum(axis=1)
    assert ((total > 0.85) & (total < 1.2)).all()
    assert (model.precisions > 0).all()


def test_vowels_and_silence_are_told_apart() -> None:
    sound = recording("en-us-m3-01")
    scores = english_model().scores(features(sound), ["AO", "SIL"]).max(axis=2)
    morning = slice(30, 35)  # "Good m-o-rning" at 0.3 s
    assert (scores[morning, 0] > scores[morning, 1]).all()
    trailing = np.concatenate([sound, np.random.default_rng(0).normal(0, 3, 8_000).astype(np.int16)])
    scores = english_model().scores(features(trailing), ["AO", "SIL"]).max(axis=2)
    assert (scores[-30:-5, 1] > scores[-30:-5, 0]).mean() > 0.9


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(WorldError, match=r"penstock\[speech\]"):
        model_folder()


@pytest.mark.parametrize(("file", "content"), [("mdef", b"BMDF\2\0\0\0"), ("means", b"s3\nendhdr\n" + bytes(40))])
def test_another_model(tmp_path, monkeypatch: pytest.MonkeyPatch, file: str, content: bytes) -> None:
    folder = tmp_path / "en-us"
    folder.mkdir()
    for path in (model_folder() / "en-us").iterdir():
        (folder / path.name).symlink_to(path)
    (folder / file).unlink()
    (folder / file).write_bytes(content)
    monkeypatch.setattr(acoustic_model, "model_folder", lambda: tmp_path)
    with pytest.raises(WorldError, match="cannot be read"):
        english_model.__wrapped__()
