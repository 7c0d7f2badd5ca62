"""What came back for a photo: a cut-out, or a matte where the contract says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.unit.families.matting.drawn_mattes import cutout, disc, save

from penstock.families.matting.answer_file import NoAnswerError, read_answer
from penstock.foundation.errors import UsageError


def test_a_matte_has_no_colours_and_the_same_alpha(tmp_path: Path) -> None:
    grey, cut = save(tmp_path / "grey.png", disc()), save(tmp_path / "cut.png", cutout(disc()))
    for given in ({}, {"answer_is": "cutout"}):
        found = read_answer(cut, given)
        assert found.rgba is not None
        assert np.array_equal(found.alpha, disc() / 255)
    for path in (grey, cut):
        found = read_answer(path, {"answer_is": "matte"})
        assert found.rgba is None
        assert np.array_equal(found.alpha, disc() / 255)


def test_a_matte_that_nobody_asked_for_and_a_photo_are_no_answers(tmp_path: Path) -> None:
    with pytest.raises(NoAnswerError, match="not a PNG with alpha: the picture has no alpha: it is a grey PNG"):
        read_answer(save(tmp_path / "grey.png", disc()), {})
    photo = np.zeros((4, 4, 3), np.uint8)
    photo[0, 0] = (1, 2, 3)
    with pytest.raises(NoAnswerError, match=r"not a matte \(grey PNG\): the picture is coloured"):
        read_answer(save(tmp_path / "photo.png", photo), {"answer_is": "matte"})


def test_another_word_is_a_fault_of_the_contract(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_answer(tmp_path / "none.png", {"answer_is": "mask"})
    assert not isinstance(caught.value, NoAnswerError)
    assert caught.value.where == "call.parameters.answer_is"
