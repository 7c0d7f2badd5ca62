"""Waivers that a run was given: from comments, so anything may stand in them."""

from __future__ import annotations

import contextlib
import datetime
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.foundation.errors import UsageError
from penstock.gating.run_waivers import MAX_CHARACTERS, run_waivers

GIVEN = {"metric": "lse_d", "reason": "the new codec", "expires": "2026-12-31", "by": "ada"}


@pytest.mark.parametrize("text", ["", "  \n", "[]"])
def test_none(text: str) -> None:
    assert run_waivers(text) == []


def test_who_gave_it_and_until_when() -> None:
    whole, of_slice = run_waivers(json.dumps([GIVEN, GIVEN | {"slice": "fast"}]))
    assert (whole.metric, whole.slice, whole.reason, whole.author) == ("lse_d", None, "the new codec", "ada")
    assert whole.expires == datetime.date(2026, 12, 31)
    assert of_slice.slice == "fast"


@pytest.mark.parametrize(
    "value",
    [
        {},
        "x",
        GIVEN,
        [1],
        [GIVEN | {"more": 1}],
        [GIVEN | {"by": ""}],
        [GIVEN | {"reason": "x" * 501}],
        [GIVEN | {"metric": "../x"}],
        [GIVEN | {"expires": "tomorrow"}],
        [{name: value for name, value in GIVEN.items() if name != "by"}],
        [GIVEN] * 51,
    ],
)
def test_what_is_no_list_of_waivers(value: Any) -> None:
    with pytest.raises(UsageError, match="not a list of waivers"):
        run_waivers(json.dumps(value))


@pytest.mark.parametrize("text", ["{", "[" * 10_000, '[{"metric": NaN', " [" + "1," * MAX_CHARACTERS])
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="waive"):
        run_waivers(text)


@settings(max_examples=30)
@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UsageError):
        run_waivers(text)
