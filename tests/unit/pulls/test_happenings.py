"""What is believed of an event: only plain names get through, whatever a forge or its users write."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.pulls.happenings import MAX_COMMENT, OddEventError, at, comment_event, pull_event

ANYTHING = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=50), st.lists(st.integers(), max_size=2))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(path=ANYTHING, number=ANYTHING, head=ANYTHING)
def test_only_plain_names_get_through(path: Any, number: Any, head: Any) -> None:
    try:
        found = pull_event(path=path, number=number, head=head)
    except OddEventError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_./-]+", found.path)
    assert found.head is None or re.fullmatch(r"[0-9a-f]{40,64}", found.head)


@pytest.mark.parametrize("path", ["acme/sonic\n", "acme/$(x)", "acme", "/acme/sonic", "a/b/" + "c" * 300])
def test_paths(path: str) -> None:
    with pytest.raises(OddEventError, match="path"):
        pull_event(path=path, number=1, head=None)


def test_a_long_comment_is_cut() -> None:
    found = comment_event(
        path="acme/sonic", number=1, comment=1, person="ann", text="x" * 10**6, written="2026-11-27T12:00:00Z"
    )
    assert len(found.text) == MAX_COMMENT


def test_values_below_names() -> None:
    assert at({"a": {"b": 1}}, "a", "b") == 1
    assert at({"a": [1]}, "a", "b") is None
    assert at(None, "a") is None
