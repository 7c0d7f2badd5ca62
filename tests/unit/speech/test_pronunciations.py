"""Texts and how they are said."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.speech.pronunciations import pronounce, words_of


def test_ways_of_saying() -> None:
    [(word, ways)] = pronounce("The!")
    assert word == "the"
    assert ways[:2] == (("DH", "AH"), ("DH", "IY"))


@pytest.mark.parametrize(
    ("text", "says"),
    [("…", "no word"), ("Release 20 of Penstock", "does not know '20', 'penstock'"), ("a " * 2001, "2001 words")],
)
def test_what_cannot_be_said(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        pronounce(text)


@settings(max_examples=40)
@given(st.text(max_size=60))
def test_words_are_clean(text: str) -> None:
    for word in words_of(text):
        assert word.strip("'")
        assert set(word) <= set("abcdefghijklmnopqrstuvwxyz0123456789'")
