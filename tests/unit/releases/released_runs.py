"""Runs that are archived and released, and the repository that most of them are of."""

from __future__ import annotations

from pathlib import Path

from tests.unit.store.stored_bundle import accepted_bundle

from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.store import Store

MINI = "git.example.org/acme/mini"


def released(
    folder: Path,
    store: Store,
    run_id: str,
    version: str,
    url: str,
    *,
    baseline: str | None = None,
    target: str | None = None,
) -> None:
    bundle = accepted_bundle(
        folder / run_id, run_id=run_id, version=version, commit=run_id[-1] * 40, url=url, baseline=baseline
    )
    bundle.update_run(bundle.run().model_copy(update={"target": target}))
    archive(bundle, store, model="sonic-lite", run_id=run_id)
    publish(store, bundle)
