"""A run and its releases in MLflow: once, however often; completed after a break; the alias follows the release."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.unit.tracking.mlflow_server import MlflowServer

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.foundation.errors import UsageError
from penstock.releases.acts import promote, roll_back, withdraw
from penstock.store.local import LocalStore
from penstock.tracking import track
from penstock.tracking.mlflow_api import Mlflow, MlflowError, MlflowPlace
from penstock.tracking.track import follow_release, track_run

MODEL = "sonic-lite"


def mlflow(server: MlflowServer) -> Mlflow:
    return Mlflow(MlflowPlace(server.url))


def test_a_run_is_written_once(server: MlflowServer, store: LocalStore, tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "run-1")
    first = track_run(mlflow(server), bundle, "s3://releases/penstock/runs/sonic-lite/run-1")
    assert first.changed
    (run,) = server.runs.values()
    assert (run["status"], run["params"]["weights.w.onnx"]) == ("FINISHED", f"sha256:{'b' * 64}")
    assert {key: value for key, value, *_ in run["metrics"]} == {"case/lse_d/c": 1.0, "lse_d": 1.0}
    assert run["tags"]["penstock.evidence"] == "s3://releases/penstock/runs/sonic-lite/run-1"
    assert (run["tags"]["penstock.verdict"], run["tags"]["mlflow.source.git.commit"]) == ("pass", "1" * 40)
    before = len(server.wrote())
    again = track_run(mlflow(server), bundle, "s3://releases/penstock/runs/sonic-lite/run-1")
    assert (again.changed, again.run) == (False, first.run)
    assert len(server.wrote()) == before


@pytest.mark.slow
def test_many_values_go_in_parts(server: MlflowServer, store: LocalStore, tmp_path: Path) -> None:
    bundle = Bundle(tmp_path / "run-1")
    bundle.write_measurements(Measurement(case=f"c{n}", metric="lse_d", value=float(n)) for n in range(2_000))
    parameters: dict[str, Any] = {f"p{n}": n for n in range(250)}
    bundle.update_run(bundle.run().model_copy(update={"parameters": parameters}))
    track_run(mlflow(server), bundle)
    (run,) = server.runs.values()
    assert len(run["metrics"]) == 2_001
    assert len(run["params"]) == 252


@pytest.mark.slow
def test_wherever_it_breaks_off_the_next_try_completes_it(
    server: MlflowServer, store: LocalStore, tmp_path: Path
) -> None:
    whole = 0
    for request in range(1, 60):
        server.fail_at = request
        try:
            track_run(mlflow(server), Bundle(tmp_path / "run-1"))
            follow_release(mlflow(server), store, MODEL)
        except MlflowError:
            continue
        whole = request
        break
    assert whole > 3
    assert len(server.runs) == 2
    for run in server.runs.values():
        assert run["status"] == "FINISHED"
        assert len(run["metrics"]) == 2
    assert sorted(entry["run_id"] for entry in server.models[MODEL]) == sorted(server.runs)
    assert [entry["tags"]["penstock.version"] for entry in server.models[MODEL]] == ["1.0.0", "1.1.0"]
    assert server.aliases == {(MODEL, "current"): "2"}


@pytest.mark.slow
def test_the_alias_moves_with_the_release_and_with_a_rollback(server: MlflowServer, store: LocalStore) -> None:
    def follow() -> tuple[str, str, bool]:
        found = follow_release(mlflow(server), store, MODEL)
        assert found is not None
        assert server.aliases[(MODEL, "current")] == found.version
        return found.release, found.version, found.changed

    assert follow() == ("1.1.0", "2", True)
    assert follow() == ("1.1.0", "2", False)
    roll_back(store, MODEL, reason="flicker", by="ann")
    assert follow() == ("1.0.0", "1", True)
    promote(store, MODEL, "1.1.0", reason="it was the network", by="ann")
    withdraw(store, MODEL, "1.0.0", reason="data", by="ann")
    assert follow() == ("1.1.0", "2", True), "two moves were missed: it goes where the release is"
    assert server.models[MODEL][0]["tags"]["penstock.withdrawn"].endswith("by ann: data")
    assert follow() == ("1.1.0", "2", False)
    assert len(server.models[MODEL]) == 2


def test_a_version_knows_its_run_and_its_evidence(server: MlflowServer, store: LocalStore, tmp_path: Path) -> None:
    number = track_run(mlflow(server), Bundle(tmp_path / "run-1")).run
    follow_release(mlflow(server), store, MODEL)
    older, newer = server.models[MODEL]
    assert newer["run_id"] == number
    assert server.runs[older["run_id"]]["tags"]["penstock.run_id"] == "run-0", "it was brought from the store"
    assert newer["tags"]["penstock.evidence"].endswith("/store/runs/sonic-lite/run-1")
    assert newer["source"].startswith("penstock:/manifest/"), "no path of a machine"


def test_runs_that_an_outage_missed_come_with_the_next_release(
    server: MlflowServer, store: LocalStore, tmp_path: Path
) -> None:
    """*archive* of 1.0.0 and of 1.1.0 met 503: *publish* brings both from the store, and each version has its run."""
    server.reply = 503, b"upstream is away"
    for number in (0, 1):
        with pytest.raises(MlflowError, match="503"):
            track_run(mlflow(server), Bundle(tmp_path / f"run-{number}"), "")
    with pytest.raises(MlflowError, match="503"):
        follow_release(mlflow(server), store, MODEL)
    server.reply = None
    follow_release(mlflow(server), store, MODEL)
    versions = server.models[MODEL]
    assert [server.runs[entry["run_id"]]["tags"]["penstock.version"] for entry in versions] == ["1.0.0", "1.1.0"]
    assert [len(run["metrics"]) for run in server.runs.values()] == [2, 2]
    before = len(server.wrote())
    follow_release(mlflow(server), store, MODEL)
    assert len([path for path in server.wrote()[before:] if "registered-models/create" not in path]) == 0


def test_a_few_releases_a_call_the_current_one_first(
    server: MlflowServer, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track, "RELEASES_PER_CALL", 1)
    roll_back(store, MODEL, reason="flicker", by="ann")
    found = follow_release(mlflow(server), store, MODEL)
    assert found is not None
    assert (found.release, len(server.models[MODEL]), len(server.runs)) == ("1.0.0", 1, 1)
    follow_release(mlflow(server), store, MODEL)
    assert [entry["tags"]["penstock.version"] for entry in server.models[MODEL]] == ["1.0.0", "1.1.0"]
    assert len(server.runs) == 2


def test_a_version_that_has_no_run_is_told_which_it_is(server: MlflowServer, store: LocalStore) -> None:
    """As an older Penstock left it. It is not made anew: its number, and what people wrote on it, stay."""
    follow_release(mlflow(server), store, MODEL)
    server.runs.clear()
    for entry in server.models[MODEL]:
        entry["run_id"] = ""
    follow_release(mlflow(server), store, MODEL)
    assert [entry["version"] for entry in server.models[MODEL]] == ["1", "2"]
    for entry in server.models[MODEL]:
        run = server.runs[entry["tags"]["penstock.mlflow_run"]]
        assert run["tags"]["penstock.version"] == entry["tags"]["penstock.version"]


@pytest.mark.parametrize("fault", ["gone", "damaged"])
def test_evidence_that_is_gone_keeps_no_release_from_being_shown(
    server: MlflowServer, store: LocalStore, tmp_path: Path, fault: str
) -> None:
    evidence = tmp_path / "store/runs/sonic-lite/run-1"
    if fault == "gone":
        shutil.rmtree(evidence)
    else:
        (evidence / "run.json").chmod(0o600)
        (evidence / "run.json").write_text("{}")
    found = follow_release(mlflow(server), store, MODEL)
    assert found is not None
    assert (found.release, server.models[MODEL][1]["run_id"]) == ("1.1.0", "")
    assert server.models[MODEL][1]["tags"].get("penstock.mlflow_run") == ("none" if fault == "gone" else None)
    assert server.models[MODEL][0]["run_id"] in server.runs


def test_a_release_that_moves_meanwhile_is_looked_at_again(
    server: MlflowServer, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = track._alias

    def meanwhile(*arguments: Any) -> str | None:
        roll_back(store, MODEL, reason="flicker", by="ann")
        return looked(*arguments)

    monkeypatch.setattr(track, "_alias", meanwhile)
    found = follow_release(mlflow(server), store, MODEL)
    assert found is not None
    assert (found.release, server.aliases[(MODEL, "current")]) == ("1.0.0", "1")


def test_nothing_released_is_nothing_to_follow(server: MlflowServer, tmp_path: Path) -> None:
    assert follow_release(mlflow(server), LocalStore(tmp_path / "other"), MODEL) is None
    assert server.requests == []


def test_a_name_that_could_leave_the_filter_is_not_looked_for(
    server: MlflowServer, store: LocalStore, tmp_path: Path
) -> None:
    bundle = Bundle(tmp_path / "run-1")
    bundle.update_run(bundle.run().model_copy(update={"run_id": "x' OR 'a' = 'a"}))
    with pytest.raises(UsageError, match="cannot look for"):
        track_run(mlflow(server), bundle)
    assert server.runs == {}
