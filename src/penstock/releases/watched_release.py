"""The current release, run again as it was released: which one, its evidence, and the bundle of the new run begun.

Nothing here writes to the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import WATCH_TRACK
from penstock.bundle.environment_record import RECORD as ENVIRONMENT
from penstock.bundle.steps import begin
from penstock.foundation.errors import UsageError
from penstock.releases.baseline import Release, baseline, release_of
from penstock.store.archive import fetch, name_part
from penstock.store.store import Store

EVIDENCE = ("run.json", "verdict.json", "measurements.jsonl", ENVIRONMENT)
"""What of the release's bundle is compared with; its manifest comes with it."""


@dataclass(frozen=True)
class WatchedRelease:
    """What is run again."""

    release: Release
    evidence: Bundle
    """Of the release, as far as it is compared with."""


def find_watched(store: Store, model: str, directory: Path) -> WatchedRelease:
    """Find the current release of a model, and bring its evidence.

    Args:
        store: where releases are kept; only read.
        model: the model's name.
        directory: where the evidence goes: new, or that of the same release.

    Raises:
        UsageError: no release of the model is current.
        WorldError: the store cannot be reached, or the evidence is missing or changed.
    """
    pointer = baseline(store, model)
    if pointer is None:
        todo = "Check the name and the store: 'penstock releases MODEL' lists what was released."
        raise UsageError(f"no release of '{model}' is current", where=store.uri, todo=todo)
    evidence = fetch(store, model, pointer.run_id, directory, only=EVIDENCE, manifest_sha256=pointer.manifest_sha256)
    return WatchedRelease(release_of(store, pointer), evidence)


def watch_model(bundle: Bundle, model: str, *, run_id: str) -> None:
    """Begin the bundle before the store is asked: what goes wrong there is told under the model's name.

    Raises:
        UsageError: no model can have this name; the directory holds another run's bundle.
    """
    name_part(model, "model")
    run = begin(bundle, run_id=run_id, track=WATCH_TRACK)
    if not run.model:
        bundle.update_run(run.model_copy(update={"model": model}))


def begin_watched(watched: WatchedRelease, bundle: Bundle, *, run_id: str) -> None:
    """Begin the bundle of the new run: the released image and weights are taken, and nothing is built.

    Raises:
        UsageError: the directory holds another run's bundle.
    """
    run = begin(bundle, run_id=run_id, track=WATCH_TRACK)
    if run.image is not None:
        return
    release, recorded = watched.release, watched.evidence.run()
    known = {
        "model": release.model,
        "image": release.image,
        "weights": release.weights,
        # so that the networks are computed as they were: what the new values are compared with
        "extractors": recorded.extractors,
    }
    bundle.update_run(run.model_copy(update=known))
