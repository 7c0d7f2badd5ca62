"""What the current release answered is brought from the store: calls and outputs, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.store.stored_bundle import accepted_bundle

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Invocation
from penstock.foundation.errors import WorldError
from penstock.releases.archived_answers import bring_current
from penstock.releases.release import publish
from penstock.store.archive import archive
from penstock.store.local import LocalStore

MODEL = "sonic-lite"


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def released(store: LocalStore, folder: Path, output: str = "outputs/größe/output.mp4") -> Bundle:
    bundle = accepted_bundle(folder)
    bundle.write_invocations([Invocation(case="größe", status="ok", output=output)])
    archive(bundle, store, model=MODEL, run_id="run-1")
    publish(store, bundle)
    return bundle


def test_before_the_first_release_there_is_nothing_to_bring(store: LocalStore, tmp_path: Path) -> None:
    assert bring_current(store, MODEL, tmp_path / "baseline") is None
    assert not (tmp_path / "baseline").exists()


def test_calls_and_outputs_come_and_a_second_attempt_changes_nothing(store: LocalStore, tmp_path: Path) -> None:
    first = released(store, tmp_path / "run-1")
    for _ in range(2):
        found = bring_current(store, MODEL, tmp_path / "baseline")
        assert found is not None
        assert found.run().run_id == "run-1"
        assert found.invocations() == first.invocations()
        (output,) = found.outputs.rglob("*.mp4")
        assert output.read_bytes() == b"video" * 1000
        assert not found.measurements_file.exists()


def test_an_output_that_was_not_archived_is_the_worlds_failure(store: LocalStore, tmp_path: Path) -> None:
    released(store, tmp_path / "run-1", "outputs/größe/gone.mp4")
    with pytest.raises(WorldError) as told:
        bring_current(store, MODEL, tmp_path / "baseline")
    assert told.value.what.startswith("the answers of the current release cannot be brought: ")
    assert "gone.mp4" in told.value.what
    assert "baseline: rerun" in told.value.todo
