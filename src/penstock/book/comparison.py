"""Any two archived runs beside each other, by what ``penstock compare`` computes."""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from penstock.book.shelf import MAX_LINES_BYTES, Shelf
from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError
from penstock.gating.compare import CaseChange, Comparison, compare
from penstock.gating.measurements import MeasurementSource
from penstock.report.cases import Number, number
from penstock.report.forest import Forest, drawing
from penstock.report.summary import interval_words
from penstock.store.archive import fetch, run_key
from penstock.store.store import Store

LEVEL = 0.05
KEPT = 32
"""Comparisons that are kept, those that were asked for last: some 50 kB each."""
RECORDS = ("run.json", "measurements.jsonl", "invocations.jsonl")
RunName = tuple[str, str]
"""Model and run id."""


@dataclass(frozen=True)
class ChangeRow:
    """One metric of both runs."""

    number: Number
    interval: str
    forest: Forest | None
    n: int
    note: str


@dataclass(frozen=True)
class WorstRow:
    """A case that became worse."""

    number: Number
    found: CaseChange


@dataclass(frozen=True)
class ComparedRuns:
    """Two runs beside each other."""

    comparison: Comparison
    rows: list[ChangeRow]
    worst: list[WorstRow]


class Comparisons:
    """Compares runs of a store; evidence never changes, so that what was compared is kept."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._kept: OrderedDict[tuple[RunName, RunName], ComparedRuns] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, first: RunName, second: RunName) -> ComparedRuns:
        """The change from the first run to the second.

        Raises:
            NotStoredError: one of them is not archived.
            UsageError: they have nothing in common, or cannot be read.
            StoreAwayError: it takes too long.
        """
        with self._lock:
            if (first, second) in self._kept:
                self._kept.move_to_end((first, second))
                return self._kept[first, second]
        found = self.shelf.pool.ask(lambda: _compared(self.shelf.store, first, second))
        with self._lock:
            self._kept[first, second] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def _compared(store: Store, first: RunName, second: RunName) -> ComparedRuns:
    with tempfile.TemporaryDirectory(prefix="penstock-book-") as scratch:
        sides = [_brought(store, run, Path(scratch) / name) for run, name in ((first, "a"), (second, "b"))]
    comparison = compare(sides[0], sides[1], level=LEVEL)
    through = {found.metric: found.extractor for found in sides[1].measurements if found.value is not None}
    rows = [
        ChangeRow(
            number(found.metric, found.candidate, found.baseline, unit=found.unit, extractor=through.get(found.metric)),
            interval_words(found.metric, found.interval) if found.interval is not None else "",
            drawing(found.change, found.interval, found.direction),
            found.n,
            found.note,
        )
        for found in comparison.metrics
    ]
    worst = [
        WorstRow(number(found.metric, found.candidate, found.baseline, extractor=through.get(found.metric)), found)
        for found in comparison.worst
    ]
    return ComparedRuns(comparison, rows, worst)


def _brought(store: Store, run: RunName, folder: Path) -> MeasurementSource:
    """One side, every file of it compared with the manifest on its way."""
    size = store.size(f"{run_key(*run)}/measurements.jsonl")
    if size is not None and size > MAX_LINES_BYTES:
        raise UsageError("the run has too many measurements to be compared here", where="/".join(run))
    bundle: Bundle = fetch(store, *run, folder, only=RECORDS)
    cases = tuple(call.case for call in bundle.invocations()) if bundle.invocations_file.exists() else ()
    return MeasurementSource(run[1], bundle.measurements(), cases, bundle.run())
