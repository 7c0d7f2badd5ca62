"""How the metrics of a model went over its last releases. Never fails: what cannot be read is a gap with a note."""

from __future__ import annotations

import logging
import math
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.metric_history import History, PastRelease, PastValue
from penstock.bundle.models import Measurement
from penstock.foundation.errors import PenstockError, UsageError, WorldError, printable
from penstock.releases.baseline import Baseline, Release
from penstock.store.archive import fetch, name_part
from penstock.store.store import Store

log = logging.getLogger(__name__)

RELEASES = 10
MAX_PUBLISHED = 1000
"""So many records of releases are looked through at most."""
WORKERS = 8
MAX_NOTE = 300


def past_releases(store: Store, model: str, newest: Baseline | None, *, count: int = RELEASES) -> History:
    """The last ``count`` releases up to the current one, the oldest first.

    The order is that in which each replaced the one before. A release whose bundle is gone, damaged or of another
    format is a gap with a note; a store that does not answer leaves a note and no releases.

    Args:
        store: where releases are kept.
        model: the model's name.
        newest: the current release; ``None``: there is none.
        count: how many to go back.
    """
    if newest is None:
        return History(model=model)
    try:
        published = _published(store, model)
    except (UsageError, WorldError) as error:
        log.warning("the releases of %s cannot be listed: %s", model, error.what)
        return History(model=model, note=_note("the earlier releases cannot be listed", error))
    if newest.release is not None:
        published.setdefault(newest.run_id, newest.release)  # its record may not be written yet
    chain: list[tuple[str, Release | None]] = []
    run_id: str | None = newest.run_id
    while run_id is not None and len(chain) < count and run_id not in {known for known, _ in chain}:
        release = published.get(run_id)
        chain.append((run_id, release))
        run_id = release.replaces if release else None
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="history") as pool:
        releases = list(pool.map(lambda link: _past(store, model, *link), reversed(chain)))
    lost = chain[-1][1] is None and len(chain) < count
    note = f"what came before the run '{chain[-1][0]}' is not known: its record cannot be read" if lost else ""
    return History(model=model, releases=releases, note=printable(note))


def _published(store: Store, model: str) -> dict[str, Release]:
    """Run id → its record. One that cannot be read is passed over: the releases before it are then not known."""
    root = f"published/{name_part(model, 'model')}/"
    keys = [entry.key for entry in store.list(root) if entry.key.endswith(".json")][:MAX_PUBLISHED]
    with (
        tempfile.TemporaryDirectory(prefix="penstock-history-") as folder,
        ThreadPoolExecutor(WORKERS, thread_name_prefix="history") as pool,
    ):

        def read(item: tuple[int, str]) -> Release | None:
            number, key = item
            path = Path(folder) / f"{number}.json"
            try:
                store.get_file(key, path)
                return read_model(path, Release)
            except (UsageError, WorldError) as error:
                log.warning("the record of a release cannot be read: %s: %s", key, error.what)
                return None

        records = list(pool.map(read, enumerate(keys)))
    return {record.run_id: record for record in records if record is not None and record.model == model}


def _past(store: Store, model: str, run_id: str, release: Release | None) -> PastRelease:
    version = release.version if release else ""
    try:
        with tempfile.TemporaryDirectory(prefix="penstock-history-") as folder:
            bundle = fetch(
                store,
                model,
                run_id,
                Path(folder),
                only=("run.json", "measurements.jsonl"),
                manifest_sha256=release.manifest_sha256 if release else None,
            )
            run, metrics = bundle.run(), _means(bundle)
    except (UsageError, WorldError) as error:
        log.warning("the release %s (run %s) cannot be read: %s", version or "?", run_id, error.what)
        return PastRelease(run_id=run_id, version=version, note=_note("its bundle cannot be read", error))
    return PastRelease(
        run_id=run_id,
        version=version or (run.source.version if run.source else ""),
        time=run.steps[0].started if run.steps else "",
        suite=run.suite.digest if run.suite else "",
        metrics=metrics,
    )


def _means(bundle: Bundle) -> dict[str, PastValue]:
    found: dict[str, list[Measurement]] = defaultdict(list)
    for measurement in bundle.measurements():
        if not measurement.applies:
            continue
        found[measurement.metric].append(measurement)
    past = {}
    for metric, measurements in found.items():
        slices = sorted({name for measurement in measurements for name in measurement.slices})
        extractors = {measurement.extractor for measurement in measurements if measurement.value is not None}
        past[metric] = PastValue(
            mean=mean(measurement.value for measurement in measurements),
            n=len(measurements),
            extractor=extractors.pop() if len(extractors) == 1 else None,
            slices={
                name: mean(measurement.value for measurement in measurements if name in measurement.slices)
                for name in slices
            },
        )
    return past


def mean(values: Iterable[float | None]) -> float | None:
    """The mean; ``None`` if a value is missing or there is none, because a mean over the rest would flatter."""
    have = list(values)
    there = [value for value in have if value is not None]
    if not there or len(there) < len(have):
        return None
    return math.fsum(value / len(there) for value in there)  # divided first: no sum of huge values overflows


def _note(what: str, error: PenstockError) -> str:
    return printable(f"{what}: {error.what}")[:MAX_NOTE]
