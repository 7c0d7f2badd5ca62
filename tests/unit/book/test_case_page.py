"""A case, and moments of videos."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.book.made_store import EVIL, MODEL, copied

from penstock.book.case_page import case_view, cases_of, cases_page, fragment, moment
from penstock.book.shelf import Shelf
from penstock.foundation.errors import UsageError
from penstock.store.local import LocalStore
from penstock.store.store import DamagedError, NotStoredError


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


def _with_calls(made: LocalStore, folder: Path, calls: bytes) -> Shelf:
    store = copied(made, folder)
    path = store.directory / "runs" / MODEL / "run-1" / "invocations.jsonl"
    path.chmod(0o644)
    path.write_bytes(calls)
    return Shelf(store)


def test_a_page_of_cases_reads_no_other(made: LocalStore, tmp_path: Path) -> None:
    lines = [f'{{"case":"c-{number}","status":"ok"}}\n' for number in range(120)]
    lines[10] = "not a record\n"
    shelf = _with_calls(made, tmp_path, "\n".join(lines).encode())
    for asked, number, first, rows in (("2", 2, "c-50", 50), ("3", 3, "c-100", 20), ("99999999", 3, "c-100", 20)):
        page = cases_page(shelf, MODEL, "run-1", asked)
        assert (page.number, page.pages, page.total) == (number, 3, 120)
        assert (page.rows[0].case, len(page.rows)) == (first, rows)
    with pytest.raises(UsageError, match="not a valid record"):
        cases_page(shelf, MODEL, "run-1", "")


def test_without_a_record_of_cases_there_is_no_page_of_them(made: LocalStore) -> None:
    assert cases_page(Shelf(made), MODEL, "run-9", "2").total == 0


def test_a_case_is_found_by_a_name_that_json_writes_in_several_ways(made: LocalStore, tmp_path: Path) -> None:
    shelf = _with_calls(made, tmp_path, b'{"case":"a"}\n{"case":"\\u00fc\\/1","status":"failed","error":"why"}\n')
    assert case_view(shelf, MODEL, "run-1", "ü/1").error == "why"


def test_more_than_can_be_shown_of_a_case_is_refused(
    made: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = _with_calls(made, tmp_path, b'{"case":"c-1","status":"ok"}\n' * 100)
    monkeypatch.setattr("penstock.book.shelf.MAX_RECORD_BYTES", 2000)
    with pytest.raises(DamagedError, match="too large"):
        case_view(shelf, MODEL, "run-1", "c-1")
    assert cases_page(shelf, MODEL, "run-1", "2").total == 100
