"""A released model that was run again on the cluster: compared with its record, and kept in the store beside it.

What is kept lies below ``drift/`` alone. The record itself (``runs/``, ``published/``, ``baselines/``) is only read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import RECORD, DriftRecord, read_drift, write_drift
from penstock.bundle.environment_record import RECORD as ENVIRONMENT
from penstock.foundation.files import sha256_file
from penstock.gating.drift import drift_of
from penstock.releases.baseline import baseline
from penstock.store.archive import name_part
from penstock.store.store import Store

KEPT = ("run.json", "measurements.jsonl", ENVIRONMENT, RECORD)
"""Files of the new run that are kept, as far as there are; the last one says that the others are there."""


def compare_and_keep(
    store: Store,
    released: Bundle,
    again: Bundle,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> tuple[DriftRecord, str]:
    """Compare a new run with the evidence of its release, write ``drift.json``, and keep it in the store.

    A step that is tried again keeps what it had found: nothing in a store is replaced.

    Args:
        store: where the model is released.
        released: what :func:`penstock.releases.watched_release.find_watched` brought.
        again: the new run's bundle, up to its measurements.
        now: the time.

    Returns:
        What moved, and where in the store that lies.

    Raises:
        UsageError: one of the two bundles is not complete, or of a newer version.
        WorldError: the store cannot be reached or refuses. ``drift.json`` is in the bundle then, unless it was the
            pointer that could not be read.
    """
    drift = read_drift(again)
    if drift is None:
        run = released.run()
        version = run.source.version if run.source is not None else ""
        current = baseline(store, run.model)
        moved_on = current.version if current is not None and current.run_id != run.run_id else None
        drift = drift_of(released, again, version=version, now=now()).model_copy(update={"current": moved_on})
        write_drift(again, drift)
    prefix = drift_key(drift.model, drift.run)
    for name in KEPT:
        path = again.path / name
        if path.exists():
            store.put_file(f"{prefix}/{name}", path, sha256_file(path))
    return drift, store.location(prefix)


def drift_key(model: str, run_id: str) -> str:
    """``drift/MODEL/RUN``.

    Raises:
        UsageError: a name that cannot be part of a key.
    """
    return f"drift/{name_part(model, 'model')}/{name_part(run_id, 'run')}"
