"""Before any model runs: can the store do all that comes at the end, and is the name this repository's?"""

from __future__ import annotations

from penstock.bundle.models import Run
from penstock.foundation.errors import UsageError
from penstock.releases.baseline import current_release, hold_owner
from penstock.store.archive import run_key
from penstock.store.store import Store


def admit(store: Store, run: Run, model: str) -> None:
    """Try the store out, and check that the model's name belongs to the run's repository, or to none yet.

    Args:
        store: where the run will be archived and published.
        run: cloned.
        model: the name in its contract.

    Raises:
        UsageError: the name belongs to another repository.
        WorldError: the store cannot be reached, or lacks something that archiving or publishing needs.
    """
    if run.source is None:
        raise UsageError("the bundle does not say what was cloned", where="run.json", todo="Run the step clone first.")
    found = current_release(store, model)
    today = found.baseline if found is not None else None
    hold_owner(store, today, model, run.source.url)
    # the current release is about as large as this run will be
    size = sum(entry.bytes for entry in store.list(run_key(model, today.run_id))) if today is not None else 0
    store.probe(run.run_id, need_bytes=size)
