"""A release whose verdict can be signed."""

from __future__ import annotations

from pathlib import Path

from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.releases.baseline import Release, published
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore


def published_release(folder: Path) -> tuple[Release, Bundle]:
    """``sonic-lite`` 1.0.0 of ``run-1``, published in ``folder/store``."""
    store, bundle = LocalStore(folder / "store"), accepted_bundle(folder / "run-1")
    archive(bundle, store, model="sonic-lite", run_id="run-1")
    publish(store, bundle)
    release = published(store, "sonic-lite", "1.0.0")
    assert release is not None
    return release, bundle
