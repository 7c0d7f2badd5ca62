"""Two runs of a store beside each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.book.made_store import MODEL, copied

from penstock.book.comparison import Comparisons
from penstock.book.shelf import Shelf
from penstock.store.local import LocalStore
from penstock.store.store import DamagedError, NotStoredError


def test_a_change_and_its_worst_case(made: LocalStore) -> None:
    comparisons = Comparisons(Shelf(made))
    found = comparisons.of((MODEL, "run-0"), (MODEL, "run-2"))
    assert [(row.number.title, row.number.change, row.n) for row in found.rows] == [("LSE-D", "+1.500 (+18.8%)", 3)]
    assert found.rows[0].forest is not None
    assert found.worst[0].found.case == "c-1"
    assert comparisons.of((MODEL, "run-0"), (MODEL, "run-2")) is found  # evidence never changes


def test_a_run_that_is_not_there(made: LocalStore) -> None:
    with pytest.raises(NotStoredError):
        Comparisons(Shelf(made)).of((MODEL, "run-0"), (MODEL, "run-9"))


def test_measurements_that_were_changed_are_not_compared(made: LocalStore, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    path = store.directory / "runs" / MODEL / "run-0" / "measurements.jsonl"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"7.0", b"6.0"))
    with pytest.raises(DamagedError, match="SHA-256"):
        Comparisons(Shelf(store)).of((MODEL, "run-0"), (MODEL, "run-1"))
