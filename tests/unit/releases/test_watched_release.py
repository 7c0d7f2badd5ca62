"""The current release, to be run again: found in the store, its evidence brought, a bundle begun; nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file
from penstock.releases.acts import roll_back
from penstock.releases.watched_release import begin_watched, find_watched
from penstock.store.local import LocalStore

MODEL = "sonic-lite"
URL = "https://git.example.org/a"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", URL, baseline=before)
    return store


def test_it_is_the_current_release_with_its_pair(store: LocalStore, tmp_path: Path) -> None:
    roll_back(store, MODEL, reason="users see flicker", by="ann")
    here = tmp_path / "store"
    before = {path: sha256_file(path) for path in here.rglob("*") if path.is_file()}
    watched = find_watched(store, MODEL, tmp_path / "evidence")
    assert (watched.release.version, watched.release.run_id) == ("1.0.0", "run-0")
    assert watched.evidence.verdict().verdict == "pass"
    bundle = Bundle(tmp_path / "bundle")
    begin_watched(watched, bundle, run_id="watch-1")
    begin_watched(watched, bundle, run_id="watch-1")
    run = bundle.run()
    assert (run.run_id, run.track, run.image, run.weights) == (
        "watch-1",
        "watch",
        watched.release.image,
        watched.release.weights,
    )
    assert before == {path: sha256_file(path) for path in here.rglob("*") if path.is_file()}


def test_what_is_not_released_or_was_changed_is_not_compared_with(store: LocalStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no release of 'other' is current"):
        find_watched(store, "other", tmp_path / "other")
    file = tmp_path / "store" / "runs" / MODEL / "run-1" / "measurements.jsonl"
    file.chmod(0o644)
    file.write_text("")
    with pytest.raises(WorldError):
        find_watched(store, MODEL, tmp_path / "evidence")
