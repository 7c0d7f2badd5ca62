"""A new run of a released model, kept below drift/ in its store; the record stays what it is, byte by byte."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import read_drift
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file
from penstock.releases.acts import roll_back
from penstock.releases.kept_drift import compare_and_keep, drift_key
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


@pytest.fixture
def pair(store: LocalStore, tmp_path: Path) -> tuple[Bundle, Bundle]:
    """The evidence of the release, and a new run that came to the same values."""
    watched, again = find_watched(store, MODEL, tmp_path / "evidence"), Bundle(tmp_path / "again")
    begin_watched(watched, again, run_id="watch-1")
    recorded = watched.evidence.run().model_copy(update={"run_id": "watch-1", "track": "watch"})
    again.update_run(recorded)
    again.write_measurements(watched.evidence.measurements())
    return watched.evidence, again


def content(tmp_path: Path) -> dict[str, str]:
    root = tmp_path / "store"
    return {str(path.relative_to(root)): sha256_file(path) for path in sorted(root.rglob("*")) if path.is_file()}


def test_it_is_kept_beside_the_record(store: LocalStore, pair: tuple[Bundle, Bundle], tmp_path: Path) -> None:
    before = content(tmp_path)
    drift, where = compare_and_keep(store, *pair)
    assert (drift.outcome, drift.version, drift.released_run, drift.current) == ("same", "1.1.0", "run-1", None)
    assert where.endswith("drift/sonic-lite/watch-1")
    after = content(tmp_path)
    new = {name for name in after if name not in before and not name.endswith(".sha256")}
    assert {name.rpartition("/")[2] for name in new} >= {"run.json", "measurements.jsonl", "drift.json"}
    assert all(name.startswith(f"{drift_key(MODEL, 'watch-1')}/") for name in new)
    assert before == {name: after[name] for name in before}


def test_a_step_that_is_tried_again_finds_what_it_had(
    store: LocalStore, pair: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    first, _ = compare_and_keep(store, *pair, now=lambda: datetime(2026, 11, 27, 3, tzinfo=UTC))
    there = content(tmp_path)
    again, _ = compare_and_keep(store, *pair, now=lambda: datetime(2026, 11, 27, 4, tzinfo=UTC))
    assert again == first
    assert content(tmp_path) == there


def test_another_release_may_be_current_by_then(store: LocalStore, pair: tuple[Bundle, Bundle]) -> None:
    roll_back(store, MODEL, reason="users see flicker", by="ann")
    drift, _ = compare_and_keep(store, *pair)
    assert (drift.version, drift.current) == ("1.1.0", "1.0.0")


def test_what_was_found_is_in_the_bundle_also_if_the_store_takes_nothing(
    store: LocalStore, pair: tuple[Bundle, Bundle], tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_text("another run's", encoding="utf-8")
    store.put_file(f"{drift_key(MODEL, 'watch-1')}/run.json", other, sha256_file(other))
    with pytest.raises(WorldError, match="other content is stored"):
        compare_and_keep(store, *pair)
    found = read_drift(pair[1])
    assert found is not None
    assert found.outcome == "same"


def test_evidence_of_a_newer_version_is_refused(store: LocalStore, pair: tuple[Bundle, Bundle]) -> None:
    record = json.loads(pair[0].run_file.read_text(encoding="utf-8"))
    pair[0].run_file.write_text(json.dumps(record | {"schema_version": 99}), encoding="utf-8")
    with pytest.raises(UsageError, match="newer"):
        compare_and_keep(store, *pair)
