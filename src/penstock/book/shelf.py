"""What the book reads of the store: the models with their releases and runs, and single records of a run.

A list never opens a bundle: names are listed, and of each run three requests are made once: is its manifest there,
and its two small records. Evidence never changes, so they are not read again. Releases are read again when the pointer
of their model has another version.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextvars import copy_context
from typing import TypeVar

from pydantic import BaseModel

from penstock.book.cards import ModelCard, RunCard, card_of
from penstock.book.patient_pool import PatientPool, StoreAwayError
from penstock.book.places import is_fork, models_in, pull_of, runs_in
from penstock.bundle.directory import parse_model
from penstock.bundle.models import Manifest, Run
from penstock.bundle.verdict_record import VERDICT_SCHEMA_VERSION, Verdict
from penstock.foundation.errors import UsageError
from penstock.releases.baseline import pointer_key
from penstock.releases.history import ReleaseHistory, history
from penstock.report.old_verdicts import completed
from penstock.store.archive import run_key
from penstock.store.store import DamagedError, NotStoredError, Store

log = logging.getLogger(__name__)

FRESH_S = 5.0
"""What was read so long ago is shown without another look."""
STALE_S = 60.0
"""What was read so long ago is shown while a look goes on: of a large or distant store, that takes a while."""
LOOK_S = 1.0
"""So long a page waits for a look whose outcome it can do without: most are done by then."""
MAX_RUNS = 20_000
"""Runs on the shelf, over all models: some 20 MB of memory. Of a store with more, those whose names come last."""
MAX_RECORD_BYTES = 4 << 20
MAX_MANIFEST_BYTES = 16 << 20
MAX_LINES_BYTES = 64 << 20
"""Of ``measurements.jsonl`` and ``invocations.jsonl``."""
KEPT = {"Verdict": 128, "Manifest": 8, "Run": 16}
"""Records of each kind that are kept in memory, those that were asked for last."""
MAX_KEPT_BYTES = 8 << 20
"""Of the records of each kind that are kept, as they lie in the store; but for the last one, however large it is."""
READERS = 16
BATCH = 128
"""Runs that are begun together. A process that is told to end does these, and no more: Python waits for its threads."""
AGAIN = 20
"""Of a model's runs that could not be read, so many are tried again at each look: somebody may restore them."""
Found = TypeVar("Found", bound=BaseModel)


class Shelf:
    """The store as the book shows it. Methods may be called from several threads.

    Each raises :class:`penstock.book.patient_pool.StoreAwayError` if the store is slow or cannot be reached.
    """

    def __init__(self, store: Store, *, pool: PatientPool | None = None) -> None:
        self.store = store
        self.pool = pool or PatientPool(store.uri)
        self.full = False
        """Whether the store has more runs than :data:`MAX_RUNS`."""
        self._cards: dict[str, dict[str, RunCard]] = {}
        """Model → run id → card."""
        self._models: dict[str, ModelCard] = {}
        self._roots: dict[str, dict[str, str]] = {}
        """Model → run id → where its bundle lies."""
        self._histories: dict[str, tuple[str, ReleaseHistory]] = {}
        """Model → the version of its pointer, and the releases that were read for it."""
        self._read_at = float("-inf")
        self._lock = threading.Lock()
        self._refresh: Future[None] | None = None
        self._listed = threading.Event()
        """Set once the look in progress knows which runs there are; their cards come after that."""
        self._kept: dict[str, OrderedDict[str, tuple[BaseModel, int]]] = {kind: OrderedDict() for kind in KEPT}
        """Kind → key → record and the bytes that it has in the store."""

    def begin(self) -> None:
        """Begin to look, so that the first page need not wait for all of it."""
        with self._lock:
            self._begun()

    def models(self) -> Mapping[str, ModelCard]:
        """Name → what the store has of a model, sorted by name.

        At most :data:`FRESH_S` old; at most :data:`STALE_S` while a look takes longer than :data:`LOOK_S`.
        """
        with self._lock:
            if self.pool.clock() - self._read_at <= FRESH_S:
                return self._models
            running = self._begun()
        if self.pool.clock() - self._read_at <= STALE_S and not wait_for([running], timeout=LOOK_S).done:
            return self._models
        # a first look at a large store may take longer than a page waits: it goes on, and the next page waits for it
        self.pool.wait(running)
        return self._models

    def model(self, name: str) -> ModelCard | None:
        """One model."""
        return self.models().get(name)

    def root(self, model: str, run_id: str) -> str:
        """Where the bundle of a run lies; of one that is not on the shelf, where it would lie as a release's.

        Raises:
            UsageError: a name cannot be part of a key.
        """
        key = run_key(model, run_id)
        if run_id not in self._roots.get(model, {}):  # a pull request's may be new
            with contextlib.suppress(StoreAwayError):  # a release's run is found without
                self._wait_for_names()
        return self._roots.get(model, {}).get(run_id, key)

    def run(self, model: str, run_id: str) -> Run:
        """``run.json`` of an archived run."""
        return self._record(model, run_id, "run.json", Run, MAX_RECORD_BYTES)

    def verdict(self, model: str, run_id: str) -> Verdict | None:
        """``verdict.json`` of an archived run, with the numbers of its rules; ``None``: it was not judged."""
        try:
            verdict = self._record(model, run_id, "verdict.json", Verdict, MAX_RECORD_BYTES)
        except NotStoredError:
            return None
        if verdict.schema_version >= VERDICT_SCHEMA_VERSION:
            return verdict
        return verdict.model_copy(update={"rules": [completed(rule) for rule in verdict.rules]})

    def verdicts(self, model: str, runs: Iterable[str]) -> dict[str, Verdict | None]:
        """The verdicts of several runs at once; one that cannot be read is ``None``."""

        def one(run_id: str) -> Verdict | None:
            try:
                return self.verdict(model, run_id)
            except (UsageError, DamagedError) as error:
                log.warning("%s: %s", error.where, error.what)
                return None

        names = list(dict.fromkeys(runs))
        with ThreadPoolExecutor(min(READERS, len(names) or 1), thread_name_prefix="verdicts") as readers:
            read = [readers.submit(copy_context().run, one, name) for name in names]  # all of them are of one page
            return {name: found.result() for name, found in zip(names, read, strict=True)}

    def manifest(self, model: str, run_id: str) -> Manifest:
        """``manifest.json``: every file of an archived run. What is not in it is not shown.

        Raises:
            NotStoredError: no such run is archived.
            UsageError: it cannot be read.
        """
        return self._record(model, run_id, "manifest.json", Manifest, MAX_MANIFEST_BYTES)

    def lines(self, model: str, run_id: str, name: str, wanted: Callable[[bytes], bool]) -> list[bytes]:
        """Lines of a file of a run that are wanted, read piece by piece: no more than those are held in memory.

        Raises:
            NotStoredError: there is no such file.
            DamagedError: the file, a line of it, or what is wanted of it is too large.
        """
        key = f"{self.root(model, run_id)}/{name}"

        def read() -> list[bytes]:
            found, rest, size, held = [], b"", 0, 0
            for piece in self.store.read_range(key, 0, MAX_LINES_BYTES + 1):
                size += len(piece)
                *whole, rest = (rest + piece).split(b"\n")
                new = [line for line in whole if wanted(line)]
                found += new
                held += sum(map(len, new))
                if size > MAX_LINES_BYTES or max(held, len(rest)) > MAX_RECORD_BYTES:
                    raise DamagedError("the file is too large to be shown", where=key)
            return found + ([rest] if rest and wanted(rest) else [])

        return self.pool.ask(read)

    def _record(self, model: str, run_id: str, name: str, kind: type[Found], max_bytes: int) -> Found:
        key = f"{self.root(model, run_id)}/{name}"
        shelf = self._kept[kind.__name__]
        with self._lock:
            kept, _ = shelf.get(key, (None, 0))
            if isinstance(kept, kind):
                shelf.move_to_end(key)
                return kept
        content = self.pool.ask(lambda: self.store.read(key, max_bytes))
        record = parse_model(content, kind, where=key)
        with self._lock:
            shelf[key] = (record, len(content))
            while len(shelf) > KEPT[kind.__name__] or (len(shelf) > 1 and _bytes_of(shelf) > MAX_KEPT_BYTES):
                shelf.popitem(last=False)
        return record

    def _wait_for_names(self) -> None:
        """Wait until it is known which runs there are: of a first look at a large store, that is the least part."""
        with self._lock:
            if self.pool.clock() - self._read_at <= FRESH_S:
                return
            self._begun()
            listed = self._listed
        listed.wait(self.pool.left_s())

    def _begun(self) -> Future[None]:
        """The look in progress, or a new one. The lock is held."""
        if self._refresh is None or self._refresh.done():
            self._listed = threading.Event()
            self._refresh = self.pool.submit(self._look)
        return self._refresh

    def _look(self) -> None:
        """Bring the shelf up to date."""
        listed = self._listed
        try:
            self._roots = {name: runs_in(self.store, name) for name in models_in(self.store)}
        finally:
            listed.set()
        found: dict[str, ModelCard] = {}
        room, full = MAX_RUNS, False
        for name, roots in self._roots.items():
            found[name] = self._model(name, list(roots)[:room])
            full = full or len(roots) > room
            room = max(0, room - len(roots))
        self._cards = {name: self._cards[name] for name in found}
        self._histories = {name: kept for name, kept in self._histories.items() if name in found}
        self._models = found
        self.full = full
        self._read_at = self.pool.clock()

    def _model(self, name: str, run_ids: list[str]) -> ModelCard:
        before = self._models.get(name)
        cards = self._cards.setdefault(name, {})
        again = [run_id for run_id, card in cards.items() if card.fault][:AGAIN]
        for run_id in again:
            del cards[run_id]
        new = [run_id for run_id in run_ids if run_id not in cards]
        gone = cards.keys() - set(run_ids)
        for run_id in gone:
            del cards[run_id]

        def put(run_id: str) -> None:
            if (card := self._card(name, run_id)) is not None:
                cards[run_id] = card  # at once: what a look has read is kept if it does not come to its end

        _each(put, new)
        runs = before.runs if before is not None else ()
        if len(runs) != len(cards) or any(cards.get(card.run_id) is not card for card in runs):
            runs = tuple(sorted(cards.values(), key=lambda card: (card.started, card.run_id), reverse=True))
        try:
            return ModelCard(name, runs, self._releases(name))
        except (UsageError, DamagedError, NotStoredError) as error:
            return ModelCard(name, runs, None, fault=str(error)[:500])

    def _releases(self, name: str) -> ReleaseHistory | None:
        """The releases of a model: those that were read before, if its pointer has not moved since."""
        pointer = self.store.read_pointer(pointer_key(name))
        if pointer is None:
            return None
        version, releases = self._histories.get(name, ("", None))
        if releases is None or version != pointer.version:
            releases = history(self.store, name)
            self._histories[name] = (pointer.version, releases)
        return releases

    def _card(self, model: str, run_id: str) -> RunCard | None:
        """The card of a run; ``None``: it is not archived to its end, the manifest is missing."""
        root = self._roots[model][run_id]
        if self.store.size(f"{root}/manifest.json") is None:
            return None
        try:
            run = parse_model(self.store.read(f"{root}/run.json", MAX_RECORD_BYTES), Run, where=f"{root}/run.json")
            verdict = None
            with contextlib.suppress(NotStoredError):  # it was not judged
                content = self.store.read(f"{root}/verdict.json", MAX_RECORD_BYTES)
                verdict = parse_model(content, Verdict, where=f"{root}/verdict.json")
        except (UsageError, NotStoredError, DamagedError) as error:
            return RunCard(model, run_id, fault=str(error)[:300])
        return card_of(model, run_id, run, verdict, pull=pull_of(root), fork=is_fork(root))


def _bytes_of(shelf: OrderedDict[str, tuple[BaseModel, int]]) -> int:
    return sum(size for _, size in shelf.values())


def _each(work: Callable[[str], None], names: list[str]) -> None:
    """Do the same with every run, some at a time: a distant store answers each after a while. After a failure nothing
    further is begun.
    """
    if not names:
        return
    with ThreadPoolExecutor(READERS, thread_name_prefix="shelf") as readers:
        for begin in range(0, len(names), BATCH):
            list(readers.map(work, names[begin : begin + BATCH]))  # raises where the process is ending
