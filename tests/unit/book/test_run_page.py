"""What the page of a run shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.book.made_store import MODEL, copied

from penstock.book.run_page import run_view
from penstock.book.shelf import Shelf
from penstock.store.local import LocalStore
from penstock.store.store import NotStoredError


def test_rules_and_files(made: LocalStore) -> None:
    view = run_view(Shelf(made), MODEL, "run-2")
    assert [(row.title, row.baseline, row.candidate, row.state) for row in view.rows] == [
        ("LSE-D", "7.200", "8.500", "fail")
    ]
    assert view.rows[0].forest is not None
    assert "report/index.html" in view.files
    assert not any(name.startswith("outputs/") for name in view.files)
    assert view.more == 3


def test_a_verdict_that_cannot_be_read_is_a_note(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    path = store.directory / "runs" / MODEL / "run-1" / "verdict.json"
    path.chmod(0o644)
    path.write_text("[]")
    view = run_view(Shelf(store), MODEL, "run-1")
    assert view.verdict is None
    assert "The verdict cannot be read" in view.note


def test_a_run_that_is_not_archived_to_its_end(made: LocalStore) -> None:
    with pytest.raises(NotStoredError):
        run_view(Shelf(made), MODEL, "run-9")
