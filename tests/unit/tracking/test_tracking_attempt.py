"""A step's try to keep MLflow up to date: done, or a reason; never an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.tracking.mlflow_server import MlflowServer

from penstock.bundle.directory import Bundle
from penstock.store.local import LocalStore
from penstock.tracking import tracking_attempt
from penstock.tracking.tracking_attempt import attempt_tracking

MODEL = "sonic-lite"


def test_done_and_done_later(server: MlflowServer, store: LocalStore, tmp_path: Path) -> None:
    (tmp_path / "mlflow").mkdir()
    folder, bundle = tmp_path / "mlflow", Bundle(tmp_path / "run-1")
    assert "the file is missing" in attempt_tracking(folder, store=store, model=MODEL)
    (folder / "url").write_text("mlflow.example.org")
    assert "not the address" in attempt_tracking(folder, store=store, model=MODEL)
    (folder / "url").write_text(server.url)
    server.fail_at = 2
    assert "answered 503" in attempt_tracking(folder, store=store, model=MODEL, bundle=bundle)
    assert attempt_tracking(folder, store=store, model=MODEL, bundle=bundle) == ""
    assert server.aliases == {(MODEL, "current"): "2"}
    brought = [run["tags"]["penstock.run_id"] for run in server.runs.values()]
    assert sorted(brought) == ["run-0", "run-1"], "the release before, which nobody brought, too"


def test_a_mistake_of_ours_breaks_no_release(
    server: MlflowServer, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "url").write_text(server.url)
    monkeypatch.setattr(tracking_attempt, "follow_release", lambda *_: {}["x"])
    assert attempt_tracking(tmp_path, store=store, model=MODEL) == "KeyError: 'x'"
