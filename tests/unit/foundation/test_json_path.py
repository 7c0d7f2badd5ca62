"""A path leads to its value, or the message says how far it leads."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.foundation.json_path import PATTERN, NoValueError, kind_of_json, mismatch, value_at

STEPS = st.lists(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,9}", fullmatch=True) | st.integers(0, 5),
    max_size=8,
)


def path_of(steps: list[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


@pytest.mark.slow
@given(STEPS, st.none() | st.integers() | st.text())
def test_a_value_is_found_where_it_was_put(steps: list[str | int], leaf: Any) -> None:
    value = leaf
    for step in reversed(steps):
        value = [*["other"] * step, value] if isinstance(step, int) else {"other-": 0, step: value}
    path = path_of(steps)
    assert re.search(PATTERN, path)
    assert value_at(value, path) == leaf
    assert mismatch(value, {path: leaf}) is None
    with pytest.raises(NoValueError, match=re.escape(f"{path} is")):
        value_at(value, f"{path}.beyond")


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({}, "$.a", "$ has no 'a'"),
        ({"a": {"b": 1}}, "$.a.c", "$.a has no 'c'"),
        ({"a": [1]}, "$.a.b", "$.a is a list, not an object, so that there is no $.a.b"),
        ({"a": {}}, "$.a[0]", "$.a is an object, not a list, so that there is no $.a[0]"),
        ("text", "$[0]", "$ is text, not a list, so that there is no $[0]"),
        ({"a": [[1], [2, 3]]}, "$.a[1][2]", "the list at $.a[1] has no entry [2]: its length is 2"),
        ([1, 2], "$[007]", "the list at $ has no entry [7]: its length is 2"),
    ],
)
def test_how_far_a_path_leads(value: Any, path: str, reason: str) -> None:
    with pytest.raises(NoValueError) as caught:
        value_at(value, path)
    assert str(caught.value) == reason
    assert mismatch(value, {path: 1}) == reason


@pytest.mark.parametrize("path", ["$", "$.a", "$._a-b0", "$[0]", "$.detections[0].box", "$[999999]", "$" + ".a" * 32])
def test_what_is_a_path(path: str) -> None:
    assert re.search(PATTERN, path)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        ".a",
        "$a",
        "$.",
        "$..a",
        "$.*",
        "$.0",
        "$.-a",
        "$[-1]",
        "$[]",
        "$['a']",
        "$[1000000]",
        "$.a b",
        "$.ä",
        "$" + ".a" * 33,
        "$." + "a" * 101,
    ],
)
def test_what_is_none(path: str) -> None:
    assert not re.search(PATTERN, path)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "null"),
        (True, "true or false"),
        (0, "a number"),
        (0.5, "a number"),
        ("", "text"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_kinds_in_words(value: Any, words: str) -> None:
    assert kind_of_json(value) == words


@pytest.mark.parametrize(("found", "wanted"), [(1, True), (True, 1), (0, False), (1, "1"), (None, False), (1, 2)])
def test_types_count(found: Any, wanted: Any) -> None:
    assert mismatch({"a": found}, {"$.a": wanted})


def test_mismatch_names_the_first_that_is_wrong() -> None:
    value = {"ok": True, "n": 1, "code": "oh"}
    assert mismatch(value, {}) is None
    assert mismatch(value, {"$.ok": True, "$.n": 1.0, "$.code": "oh"}) is None
    assert (
        mismatch(value, {"$.n": 1, "$.code": "no_face", "$.gone": 1}) == '$.code is "oh" where "no_face" was expected'
    )
    assert mismatch(value, {"$.ok": False}) == "$.ok is true where false was expected"
