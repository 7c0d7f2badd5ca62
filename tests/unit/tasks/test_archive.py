"""The step archive: the whole bundle in the store, the manifest's digest as its result."""

from __future__ import annotations

import pytest
from tests.unit.tasks.step_folders import StepFolders
from tests.unit.tracking.mlflow_server import mlflow_server

from penstock.bundle.directory import Bundle
from penstock.foundation.files import sha256_file
from penstock.store.archive import fetch
from penstock.store.open import open_store


@pytest.fixture
def measured(folders: StepFolders) -> StepFolders:
    folders.cloned()
    folders.measured()
    return folders


def test_bundle_can_be_fetched_as_it_was(measured: StepFolders) -> None:
    answer = measured.call("archive", f"--store={measured.store}")
    assert answer.code == 0
    assert answer.results["uri"].endswith("/runs/tiny/run-2")
    assert answer.results["digest"] == sha256_file(measured.bundle.manifest_file)
    there = measured.folder / "fetched"
    fetch(open_store(measured.store), model="tiny", run_id="run-2", directory=there)
    assert Bundle(there).measurements() == measured.bundle.measurements()
    assert sha256_file(there / "manifest.json") == answer.results["digest"]


def test_second_try_stores_nothing_again(measured: StepFolders) -> None:
    first = measured.call("archive", f"--store={measured.store}")
    again = measured.call("archive", f"--store={measured.store}")
    assert again.results == first.results
    assert [line["uploaded"] for line in again.lines if line["event"] == "archived"] == [0]


def test_what_was_archived_is_never_replaced(measured: StepFolders) -> None:
    assert measured.call("archive", f"--store={measured.store}").code == 0
    measured.measured(sharpness=1.0)
    assert measured.call("archive", f"--store={measured.store}").code == 2  # it is not what was sealed
    measured.bundle.manifest_file.unlink()
    assert measured.call("archive", f"--store={measured.store}").code == 4
    there = measured.folder / "fetched"
    fetch(open_store(measured.store), model="tiny", run_id="run-2", directory=there)
    assert {line.value for line in Bundle(there).measurements() if line.metric == "sharpness"} == {9.0}


def test_the_run_is_shown_in_mlflow_and_its_outage_stops_nothing(measured: StepFolders) -> None:
    folder = measured.folder / "mlflow"
    folder.mkdir()
    with mlflow_server() as server:
        (folder / "url").write_text(server.url)
        server.fail_at = 3
        broken = measured.call("archive", f"--store={measured.store}", f"--mlflow={folder}")
        assert broken.code == 0
        assert [line["error"] for line in broken.lines if line["event"] == "not tracked"]
        again = measured.call("archive", f"--store={measured.store}", f"--mlflow={folder}")
        assert (again.code, again.results) == (0, broken.results)
        (run,) = server.runs.values()
    assert run["tags"]["penstock.evidence"] == again.results["uri"]
    assert run["status"] == "FINISHED"
    assert "case/sharpness/one" in {key for key, *_ in run["metrics"]}
