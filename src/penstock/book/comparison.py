"""Any two archived runs beside each other, by what ``penstock compare`` computes."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from penstock.book.case_page import parse_lines
from penstock.book.shelf import MAX_MANIFEST_BYTES, MAX_RECORD_BYTES, Shelf
from penstock.bundle.directory import parse_model
from penstock.bundle.models import Invocation, Manifest, Measurement, Run
from penstock.gating.compare import CaseChange, Comparison, compare
from penstock.gating.measurements import MeasurementSource
from penstock.report.cases import Number, number
from penstock.report.forest import Forest, drawing
from penstock.report.summary import interval_words
from penstock.store.store import Store, damaged

LEVEL = 0.05
KEPT = 32
"""Comparisons that are kept, those that were asked for last: some 50 kB each."""
MAX_COMPARED_BYTES = 16 << 20
"""Of each run's ``measurements.jsonl``, all of which is held in memory."""
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
        self._running: dict[tuple[RunName, RunName], Future[ComparedRuns]] = {}
        self._lock = threading.Lock()
        self._one = ThreadPoolExecutor(1, thread_name_prefix="compare")
        """One pair at a time: those that are large would fill the memory together. Pairs that wait for it hold none of
        the threads that other pages ask the store by."""

    def of(self, first: RunName, second: RunName) -> ComparedRuns:
        """The change from the first run to the second.

        Raises:
            NotStoredError: one of them is not archived.
            UsageError: they have nothing in common, or cannot be read.
            StoreAwayError: it takes too long.
        """
        roots = (self.shelf.root(*first), self.shelf.root(*second))
        with self._lock:
            if (first, second) in self._kept:
                self._kept.move_to_end((first, second))
                return self._kept[first, second]
            running = self._running.get((first, second))
            if running is None or running.done():
                running = self._one.submit(self._compare, first, second, roots)
                self._running = {pair: one for pair, one in self._running.items() if not one.done()}
                self._running[first, second] = running
        # one that takes longer than a page waits goes on, and the next page finds it; one that has not begun is dropped
        return self.shelf.pool.wait(running, is_stores=False)

    def _compare(self, first: RunName, second: RunName, roots: tuple[str, str]) -> ComparedRuns:
        try:
            found = _compared(self.shelf.store, (first, roots[0]), (second, roots[1]))
            with self._lock:
                self._kept[first, second] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return found
        finally:
            with self._lock:
                self._running.pop((first, second), None)


def _compared(store: Store, first: tuple[RunName, str], second: tuple[RunName, str]) -> ComparedRuns:
    sides = [_brought(store, run, root) for run, root in (first, second)]
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


def _brought(store: Store, run: RunName, root: str) -> MeasurementSource:
    """One side, every record of it compared with the manifest on its way; nothing is written to a disk.

    Raises:
        NotStoredError: no such run is archived.
        UsageError: a record cannot be read.
        DamagedError: a record is not what the manifest says, or is too large.
    """

    def read(name: str, max_bytes: int) -> bytes:
        content = store.read(f"{root}/{name}", max_bytes)
        if hashlib.sha256(content).hexdigest() != manifest.files.get(name):
            raise damaged(f"{root}/{name}")
        return content

    where = f"{root}/manifest.json"
    manifest = parse_model(store.read(where, MAX_MANIFEST_BYTES), Manifest, where=where)
    record = parse_model(read("run.json", MAX_RECORD_BYTES), Run, where=f"{root}/run.json")
    cases: tuple[str, ...] = ()
    if "invocations.jsonl" in manifest.files:
        calls = parse_lines(read("invocations.jsonl", MAX_COMPARED_BYTES), Invocation, f"{root}/invocations.jsonl")
        cases = tuple(call.case for call in calls)
    measured = read("measurements.jsonl", MAX_COMPARED_BYTES)
    return MeasurementSource(run[1], parse_lines(measured, Measurement, f"{root}/measurements.jsonl"), cases, record)
