"""Error rates of texts: by hand, in Chinese, and against the table that everybody knows."""

from __future__ import annotations

import re
import time
import tracemalloc
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics import recognition_text
from penstock.metrics.recognition_text import (
    CJK,
    character_error_rate,
    edit_distance,
    folded,
    has_phrase,
    has_too_many_marks,
    is_blank,
    plain,
)

short = st.text("ab口é ", max_size=12)


def table(first: str, second: str) -> int:
    row = list(range(len(second) + 1))
    for index, one in enumerate(first, 1):
        before, row[0] = row[0], index
        for place, other in enumerate(second, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (one != other))
    return row[-1]


@given(short, short)
def test_the_distance_is_the_tables(first: str, second: str) -> None:
    assert edit_distance(first, second) == table(first, second) == edit_distance(second, first)


@given(short, short, short)
def test_it_is_a_distance(first: str, second: str, third: str) -> None:
    assert edit_distance(first, first) == 0
    assert edit_distance(first, third) <= edit_distance(first, second) + edit_distance(second, third)


@pytest.mark.slow
@given(st.text(max_size=20))
def test_what_is_compared_does_not_depend_on_how_it_is_written(text: str) -> None:
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert plain(unicodedata.normalize(form, text)) == plain(text)


@pytest.mark.parametrize(
    ("read", "truth", "rate"),
    [
        ("小心地滑", "小心地滑", 0.0),
        ("小心 地\n滑", "小心地滑", 0.0),  # lines and spaces say nothing in Chinese
        ("小心池滑", "小心地滑", 0.25),
        ("", "小心地滑", 1.0),
        ("Ｅｘｉｔ ２", "Exit 2", 0.0),  # full-width letters
        ("Exit2", "Exit 2", 1 / 6),  # in English a space is a character
        ("exit 2", "Exit 2", 1 / 6),  # and case counts
        ("ｶﾞ", "ガ", 0.0),  # half-width kana and their mark
        ("abcabc", "abc", 1.0),
        ("aaaaaaaa", "b", 8.0),  # it is not bounded by 1
        ("  ", "", 0.0),
        ("anything", "", 1.0),
    ],
)
def test_error_rates_by_hand(read: str, truth: str, rate: float) -> None:
    assert character_error_rate(read, truth) == pytest.approx(rate)


@pytest.mark.slow
def test_a_long_answer_takes_bounded_time() -> None:
    began = time.process_time()
    assert edit_distance("ab" * 5_000, "b" * 100_000) == 95_000
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("text", "phrase", "there"),
    [
        ("A black CAT on a mat.", "black cat", True),
        ("A black\n  cat", "black cat", True),
        ("concatenate", "cat", False),
        ("cats", "cat", False),
        ("no-cat zone", "cat", True),
        ("桌上有一只黑猫。", "黑猫", True),
        ("桌上有一只cat。", "cat", True),
        ("桌上有一只白猫。", "黑猫", False),
        ("STRASSE", "straße", True),
        ("costs $5.", "$5", True),
        ("a.b", "a+b", False),  # a phrase is no pattern
    ],
)
def test_phrases(text: str, phrase: str, there: bool) -> None:
    assert has_phrase(text, phrase) is there


def test_folding_does_away_with_case_and_width() -> None:
    assert folded("ＣＡＴ ") == folded("cat") == "cat"


@given(st.text("a 口\n\t\u3000\x1c。é", max_size=20) | st.text(max_size=20))
def test_white_space_is_what_its_definition_says(text: str) -> None:
    beside = re.sub(rf"(?<=[{CJK}])\s+|\s+(?=[{CJK}])", "", unicodedata.normalize("NFKC", text))
    assert plain(text) == re.sub(r"\s+", " ", beside).strip()


@pytest.mark.parametrize("before", ["", "a", "口"])
def test_much_white_space_takes_little_time(before: str) -> None:
    began = time.process_time()
    assert plain(before + " " * 100_000 + "x") == {"": "x", "a": "a x", "口": "口x"}[before]
    assert time.process_time() - began < 2


@pytest.mark.slow
@given(short, short, st.integers(0, 3))
def test_the_distance_does_not_depend_on_what_is_kept(first: str, second: str, vectors: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recognition_text, "MAX_VECTORS", 2 * vectors)
        assert edit_distance(first, second) == table(first, second)


@pytest.mark.slow
@pytest.mark.parametrize("other", ["abc", "".join(chr(0x20000 + index) for index in range(15_000, 0, -1))])
def test_many_characters_take_little_memory(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition_text, "MAX_VECTORS", 1 << 18, raising=False)
    text = "".join(chr(0x20000 + index) for index in range(15_000))
    tracemalloc.start()
    try:
        assert edit_distance(text, other) >= 14_998
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("text", "blank"),
    [("", True), (" \u3000", True), ("\u200b\u202e", True), ("\u3164\ufe0f", True), ("\u200ba", False), ("口", False)],
)
def test_what_cannot_be_seen_is_blank(text: str, blank: bool) -> None:
    assert is_blank(text) is blank


@pytest.mark.parametrize("mark", ["\u0301", "\u0f73", "\uff9e", "\u0344"])
def test_marks_in_a_row_are_counted(mark: str) -> None:
    assert not has_too_many_marks(("e" + mark * 30) * 3)
    assert has_too_many_marks("e" + mark * 31)
