"""A table of names that mean the same, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.families.recognition.recognition_cases import table

from penstock.families.recognition.synonyms import Synonyms, read_synonyms
from penstock.foundation.errors import UsageError


def test_names_mean_their_label(tmp_path: Path) -> None:
    known = read_synonyms(table(tmp_path, "zh: {Cat: [猫, 猫咪]}\nen: {cat: [kitty]}\n"), "zh")
    assert [known.meaning(name) for name in ("猫", "猫咪", "ＣＡＴ", "cat", "kitty", "狗")] == [
        *["cat"] * 4,
        "kitty",
        "狗",
    ]
    everything = read_synonyms(tmp_path / "synonyms.yaml", None)
    assert everything.meaning("Kitty") == everything.meaning("猫") == "cat"


def test_without_a_table_names_mean_themselves_whatever_their_case_and_width() -> None:
    assert Synonyms().meaning(" Ｂig  Cat ") == "big cat"


@pytest.mark.parametrize(
    ("text", "language", "fault"),
    [
        ("- cat\n", None, "not a table of synonyms"),
        ("cat: [kitty]\n", None, "not a table of synonyms"),
        ("en: {cat: kitty}\n", None, "the synonyms of 'cat' are not a list of names"),
        ("en: {cat: [3]}\n", None, "the synonyms of 'cat' are not a list of names"),
        ("en: {cat: ['  ']}\n", None, "the synonyms of 'cat' are not a list of names"),
        ("en: {cat: [pet], dog: [Pet]}\n", None, "'Pet' means both 'cat' and 'dog'"),
        ("en: {cat: [dog], dog: []}\n", None, "'dog' means both 'cat' and 'dog'"),
        ("en: {cat: [kitty]}\n", "zh", "no language 'zh'"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, language: str | None, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        read_synonyms(table(tmp_path, text), language)
