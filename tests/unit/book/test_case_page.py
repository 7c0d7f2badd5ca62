"""A case, and moments of videos."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.book.made_store import EVIL, MODEL

from penstock.book.case_page import case_view, cases_of, fragment, moment
from penstock.book.shelf import Shelf
from penstock.foundation.errors import UsageError
from penstock.store.local import LocalStore
from penstock.store.store import NotStoredError


def test_values_and_files_of_both_sides(made: LocalStore) -> None:
    view = case_view(Shelf(made), MODEL, "run-1", "c-2")
    assert [(entry.baseline, entry.candidate) for entry in view.numbers] == [("8.000", "8.200")]
    assert [(file.side, file.run_id, file.kind) for file in view.files] == [
        ("this run", "run-1", "video"),
        ("compared with", "run-0", "video"),
    ]


def test_a_case_that_failed(made: LocalStore) -> None:
    view = case_view(Shelf(made), MODEL, "run-0", f"größe {EVIL[:8]}")
    assert (view.status, view.error, view.files) == ("failed", EVIL, [])


def test_no_such_case(made: LocalStore) -> None:
    for name in ("c", "c-", "*", "../c-1"):
        with pytest.raises(NotStoredError):
            case_view(Shelf(made), MODEL, "run-1", name)
    with pytest.raises(UsageError):
        case_view(Shelf(made), MODEL, "run-1", "")


def test_cases(made: LocalStore) -> None:
    assert [call.case for call in cases_of(Shelf(made), MODEL, "run-0")][:2] == ["c-1", "c-2"]


def test_moments() -> None:
    assert moment("") is None
    assert fragment(moment("2.40")) == "#t=2.4"
    assert fragment(None) == ""


@given(st.text(max_size=12))
def test_a_moment_is_a_number_or_refused(text: str) -> None:
    try:
        seconds = moment(text)
    except UsageError:
        return
    assert seconds is None or 0 <= seconds <= 24 * 3600
