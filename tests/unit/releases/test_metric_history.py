"""The last releases, for the report: in the order in which they replaced each other, with gaps for broken ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.models import Measurement
from penstock.releases.baseline import baseline
from penstock.releases.metric_history import mean, past_releases
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore
from penstock.store.store import Store


def release(folder: Path, store: Store, number: int) -> None:
    """Publish version ``1.NUMBER.0``; every name sorts otherwise than the order of the releases."""
    run_id = f"run-{(7 * number) % 10}"
    before = baseline(store, "sonic-lite")
    bundle = accepted_bundle(
        folder / str(number),
        run_id=run_id,
        version=f"1.{number}.0",
        commit=f"{number:040x}",
        baseline=before.run_id if before else None,
    )
    bundle.write_measurements(
        Measurement(case=case, metric="lse_d", value=7.0 + number + shift, slices=[case], extractor="net@1")
        for case, shift in (("a", 0.0), ("b", 1.0))
    )
    archive(bundle, store, model="sonic-lite", run_id=run_id)
    publish(store, bundle, now=lambda: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number))


def test_before_the_first_release_there_is_nothing(store: Store) -> None:
    found = past_releases(store, "sonic-lite", None)
    assert (found.releases, found.note) == ([], "")


@pytest.mark.slow
def test_releases_come_in_the_order_in_which_they_replaced_each_other(tmp_path: Path, store: Store) -> None:
    for number in range(4):
        release(tmp_path, store, number)
    found = past_releases(store, "sonic-lite", baseline(store, "sonic-lite"))
    assert [entry.version for entry in found.releases] == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]
    last = found.releases[-1].metrics["lse_d"]
    assert (last.mean, last.n, last.extractor, last.slices) == (10.5, 2, "net@1", {"a": 10.0, "b": 11.0})
    assert found.note == ""
    few = past_releases(store, "sonic-lite", baseline(store, "sonic-lite"), count=2)
    assert [entry.version for entry in few.releases] == ["1.2.0", "1.3.0"]


@pytest.fixture
def local(tmp_path: Path) -> LocalStore:
    store = LocalStore(tmp_path / "kept")
    for number in range(3):
        release(tmp_path, store, number)
    return store


def _file(store_root: Path, name: str) -> Path:
    (found,) = [path for path in store_root.rglob(name.rsplit("/", 1)[-1]) if path.as_posix().endswith(name)]
    return found


def test_a_damaged_bundle_is_a_gap_and_those_before_it_stay(tmp_path: Path, local: LocalStore) -> None:
    _file(tmp_path / "kept", "run-7/measurements.jsonl").write_text("{", encoding="utf-8")
    found = past_releases(local, "sonic-lite", baseline(local, "sonic-lite"))
    assert [entry.version for entry in found.releases] == ["1.0.0", "1.1.0", "1.2.0"]
    assert [bool(entry.metrics) for entry in found.releases] == [True, False, True]
    assert found.releases[1].note.startswith("its bundle cannot be read: ")


def test_a_bundle_that_is_gone_is_a_gap(tmp_path: Path, local: LocalStore) -> None:
    _file(tmp_path / "kept", "run-7/manifest.json").unlink()
    found = past_releases(local, "sonic-lite", baseline(local, "sonic-lite"))
    assert "no such run" in found.releases[1].note


def test_a_record_that_cannot_be_read_ends_the_course_with_a_note(tmp_path: Path, local: LocalStore) -> None:
    _file(tmp_path / "kept", "published/sonic-lite/1.1.0.json").write_text("{", encoding="utf-8")
    found = past_releases(local, "sonic-lite", baseline(local, "sonic-lite"))
    assert [entry.run_id for entry in found.releases] == ["run-7", "run-4"]
    assert "what came before the run 'run-7' is not known" in found.note
    assert all(entry.metrics for entry in found.releases)


def test_a_ring_of_releases_ends(tmp_path: Path, local: LocalStore) -> None:
    first = _file(tmp_path / "kept", "published/sonic-lite/1.0.0.json")
    first.chmod(0o644)
    first.write_text(first.read_text(encoding="utf-8").replace('"replaces": null', '"replaces": "run-4"'), "utf-8")
    found = past_releases(local, "sonic-lite", baseline(local, "sonic-lite"))
    assert len(found.releases) <= 3


def test_means_that_would_flatter_are_none() -> None:
    assert mean([1.0, 2.0]) == 1.5
    assert mean([1.0, None]) is None
    assert mean([]) is None
    assert mean([1e308, 1e308]) == 1e308
