"""Earlier comparisons of a model in a store: what changed models measured, and what they were compared with."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.models import Measurement
from penstock.bundle.rerun_bundle import EVIDENCE
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import UsageError, WorldError
from penstock.releases.baseline import baseline
from penstock.store.archive import fetch, run_key
from penstock.store.store import Store

log = logging.getLogger(__name__)

MAX_VERDICTS = 200
"""So many archived runs are looked at, the last ones by name."""
MAX_COMPARISONS = 20
"""So many are read, those with the current release first."""
WORKERS = 8
VERDICT = "verdict.json"


@dataclass(frozen=True)
class Earlier:
    """What a store knows of how a model moves from one revision to the next."""

    released: Sequence[Measurement] | None = None
    """Of the current release; ``None``: there is none."""
    pairs: Sequence[tuple[Sequence[Measurement], Sequence[Measurement]]] = ()
    """The baseline's and the candidate's measurements of each comparison, accepted or not."""


def earlier_comparisons(store: Store, model: str) -> Earlier:
    """What was released, and the comparisons that were archived.

    A run whose bundle cannot be read is left out, with a line in the log.

    Args:
        store: where releases are kept.
        model: the model's name.

    Raises:
        WorldError: the store cannot be reached; the bundle of the release cannot be read.
    """
    pointer = baseline(store, model)
    if pointer is None:
        return Earlier()
    with tempfile.TemporaryDirectory(prefix="penstock-comparisons-") as scratch:
        folder = Path(scratch)
        released = _fetch(store, model, pointer.run_id, folder / "released").measurements()
        verdicts = _verdicts(store, model, folder)
        chosen = sorted(verdicts, key=lambda run_id: (verdicts[run_id].baseline != pointer.run_id, run_id))
        with ThreadPoolExecutor(WORKERS, thread_name_prefix="comparisons") as pool:
            numbered = list(enumerate(chosen[:MAX_COMPARISONS]))
            found = pool.map(
                lambda item: _pair(store, model, item[1], verdicts[item[1]], folder / str(item[0])), numbered
            )
            return Earlier(released, [pair for pair in found if pair is not None])


def _verdicts(store: Store, model: str, folder: Path) -> dict[str, Verdict]:
    """Run id → its verdict, of runs that were compared with something."""
    root = f"{run_key(model, 'x').rpartition('/')[0]}/"
    names = [entry.key.removeprefix(root).split("/") for entry in store.list(root)]
    run_ids = [parts[0] for parts in names if parts[1:] == [VERDICT]][-MAX_VERDICTS:]

    def read(item: tuple[int, str]) -> Verdict | None:
        number, run_id = item
        path = folder / f"verdict-{number}.json"
        try:
            store.get_file(f"{root}{run_id}/{VERDICT}", path)
            return read_model(path, Verdict)
        except (UsageError, WorldError) as error:
            log.warning("the verdict of the run %s cannot be read: %s", run_id, error.what)
            return None

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="comparisons") as pool:
        found = zip(run_ids, pool.map(read, enumerate(run_ids)), strict=True)
        return {run_id: verdict for run_id, verdict in found if verdict is not None and verdict.baseline is not None}


def _pair(
    store: Store, model: str, run_id: str, verdict: Verdict, folder: Path
) -> tuple[list[Measurement], list[Measurement]] | None:
    try:
        candidate = _fetch(store, model, run_id, folder / "candidate")
        if verdict.comparison == "rerun" or verdict.measured_again is not None:
            before = Bundle(candidate.path / EVIDENCE)
        else:
            before = _fetch(store, model, verdict.baseline or "", folder / "baseline")
        return before.measurements(), candidate.measurements()
    except (UsageError, WorldError) as error:
        log.warning("the comparison of the run %s is left out: %s", run_id, error.what)
        return None


def _fetch(store: Store, model: str, run_id: str, folder: Path) -> Bundle:
    return fetch(store, model, run_id, folder, only=("measurements.jsonl", EVIDENCE.as_posix()))
