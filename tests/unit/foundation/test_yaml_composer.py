"""What every reader of YAML shares: limits, anchors, merges, positions."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.foundation.errors import UsageError
from penstock.foundation.yaml_composer import MAX_DEPTH, MAX_VALUES, Composer, Position


class Reader(Composer):
    """Two documents, three aliases, merge keys; words are upper case, ``huge`` is too large, names are backwards."""

    max_documents = 2
    max_aliases = 3
    merges = True

    def plain(self, text: str) -> Any:
        return float("inf") if text == "huge" else text.upper()

    def field_name(self, event: Any) -> str:
        return str(event.value)[::-1]


class Strict(Reader):
    merges = False


def read(text: str, composer: type[Composer] = Reader) -> list[Any]:
    return [node.value for node in composer("f", text).documents()]


def refused(text: str, composer: type[Composer] = Reader) -> str:
    with pytest.raises(UsageError) as caught:
        read(text, composer)
    return str(caught.value)


def test_a_reader_says_what_words_and_names_mean() -> None:
    assert read("ab: word\ncd: 'word'\n---\n[x, !!str y]\n") == [{"ba": "WORD", "dc": "word"}, ["X", "y"]]


def test_the_own_field_wins_over_a_merged_one_and_positions_are_those_of_the_source() -> None:
    (node,) = Reader("f", "b: &b\n  x: 1\n  z: 2\nu:\n  <<: *b\n  z: 3\n").documents()
    assert node.value["u"] == {"z": "3", "x": "1"}
    assert node.children["u"].keys == {"z": Position(6, 3), "x": Position(2, 3)}
    assert (node.size, node.height) == (7, 3)
    assert refused("a: &a {x: 1}\nu: {<<: *a}\n", Strict).startswith("f:2: merge keys ('<<') are not supported")
    assert refused("a: {<<: 1}\n") == "f:1: '<<' wants a mapping or a list of mappings"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\n---\nb: 2\n---\nc: 3\n", "f:4: more than 2 documents"),
        ("a: &a 1\nb: [*a, *a, *a,\n *a]\n", "f:3: more than 3 aliases ('*a')"),
        ("a: *b\n", "f:1: the alias '*b' has no anchor before it, or contains itself"),
        ("a: &a [*a]\n", "f:1: the alias '*a' has no anchor before it, or contains itself"),
        ("a: &a 1\n---\nb: *a\n", "f:3: the alias '*a' has no anchor before it"),
        ("a: 1\nb: 2\na: 3\n", "f:3: the field 'a' is there twice, first in line 1"),
        ("a: !!set {b}\n", "f:1: the tag 'tag:yaml.org,2002:set' is not allowed"),
        ("? [a]\n: 1\n", "f:1: the name of a field must be plain text"),
        ("&a b: 1\n", "f:1: the name of a field must be plain text, without tag or anchor"),
        ('a: "\\0"\n', "f:1: the text contains a NUL or half a character"),
        ("a: .inf\n", "f:1: '.inf' is not a finite number"),
        ("a: huge\n", "f:1: the number huge is too large"),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), f"f:1: nested deeper than {MAX_DEPTH} levels"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text: str, message: str) -> None:
    assert refused(text).startswith(message)


@pytest.mark.slow
def test_aliases_count_as_what_they_expand_to() -> None:
    ones = ", ".join(["1"] * (MAX_VALUES // 3))
    assert f"more than {MAX_VALUES:,} values, aliases expanded" in refused(f"a: &a [{ones}]\nb: *a\nc: *a\n")
    deep = "[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2)
    assert "nested deeper" in refused(f"a: &a {deep}\nb: [[*a]]\n")
