"""Two runs of a store beside each other."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.unit.book.made_store import MODEL, copied

from penstock.book import comparison
from penstock.book.comparison import Comparisons
from penstock.book.patient_pool import WORKERS, PatientPool, StoreAwayError
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


def test_one_that_takes_long_is_there_when_it_is_asked_for_again(
    made: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared, finish, begun, now = comparison._compared, threading.Event(), [0], [0.0]

    def slow(*given: Any) -> Any:
        begun[0] += 1
        finish.wait(0.5)
        return compared(*given)

    monkeypatch.setattr(comparison, "_compared", slow)
    comparisons = Comparisons(Shelf(made, pool=PatientPool("s", limit_s=0.02, clock=lambda: now[0])))
    runs = ((MODEL, "run-0"), (MODEL, "run-2"))
    for _ in range(2):
        with pytest.raises(StoreAwayError):
            comparisons.of(*runs)
        now[0] += 60
    finish.set()
    comparisons.shelf.pool.limit_s = 5
    assert comparisons.of(*runs).rows
    assert comparisons.of(*runs) is comparisons.of(*runs)
    assert begun == [1]


def test_one_pair_is_compared_at_a_time(made: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    compared, going, most = comparison._compared, [0], [0]

    def watched(*given: Any) -> Any:
        going[0] += 1
        most[0] = max(most[0], going[0])
        time.sleep(0.02)
        going[0] -= 1
        return compared(*given)

    monkeypatch.setattr(comparison, "_compared", watched)
    comparisons = Comparisons(Shelf(made))
    pairs = [("run-0", "run-1"), ("run-0", "run-2"), ("run-1", "run-2"), ("run-2", "run-0")]
    with ThreadPoolExecutor(len(pairs)) as readers:
        found = list(readers.map(lambda pair: comparisons.of((MODEL, pair[0]), (MODEL, pair[1])), pairs))
    assert [entry.comparison.candidate for entry in found] == [second for _, second in pairs]
    assert most == [1]


def test_pairs_that_wait_hold_up_no_other_page(made: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    finish, begun = threading.Event(), [0]

    def slow(*_: object) -> Any:
        begun[0] += 1
        finish.wait(30)
        raise NotStoredError("made up")

    monkeypatch.setattr(comparison, "_compared", slow)
    shelf = Shelf(made)
    shelf.models()
    shelf.pool.limit_s = 0.05
    comparisons = Comparisons(shelf)

    def ask(number: int) -> None:
        with pytest.raises(StoreAwayError, match="longer than a page waits"):
            comparisons.of((MODEL, "run-0"), (MODEL, f"run-{number}"))

    with ThreadPoolExecutor(WORKERS + 1) as readers:
        list(readers.map(ask, range(WORKERS + 1)))
    shelf.pool.limit_s = 5
    assert shelf.pool.ask(lambda: 7) == 7  # at once: a thread is free, and the store is not held to be away
    finish.set()
    with pytest.raises(NotStoredError):
        comparisons.of((MODEL, "run-0"), (MODEL, "run-99"))
    assert begun == [2]  # what nobody waits for any more was dropped
    assert len(comparisons._running) == 0
