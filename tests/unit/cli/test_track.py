"""``penstock track``: by hand, from this machine and from the store, again and again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released
from tests.unit.tracking.mlflow_server import MlflowServer, mlflow_server

from penstock.cli.app import main
from penstock.cli.track import track
from penstock.store.local import LocalStore


@pytest.fixture
def server() -> Iterator[MlflowServer]:
    with mlflow_server() as found:
        yield found


def test_from_this_machine_and_from_the_store(
    server: MlflowServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert track.__doc__ is not None
    assert "Example: " in track.__doc__
    released(tmp_path, LocalStore(tmp_path / "store"), "run-0", "1.0.0", "https://git.example.org/a")
    store = str(tmp_path / "store")
    common = ["--mlflow", server.url, "--store", store]
    server.token = "hunter2"
    assert main(["track", str(tmp_path / "run-0"), *common]) == 4
    assert "answered 401" in capsys.readouterr().err
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hunter2")
    assert main(["track", str(tmp_path / "run-0"), *common]) == 0
    said = capsys.readouterr().out
    assert "run run-0: written as 0" in said
    assert "sonic-lite@current: release 1.0.0, version 1, is now" in said
    assert main(["track", "run-0", "--model", "sonic-lite", *common, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {"run": f"{0:032x}", "changed": False, "current": {"release": "1.0.0", "version": "1"}}


def test_what_is_not_there(server: MlflowServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--mlflow", server.url, "--runs", str(tmp_path)]
    assert main(["track", "run-9", *common]) == 2
    assert main(["track", "run-9", "--model", "sonic-lite", *common]) == 2
    (tmp_path / "store").mkdir()
    assert main(["track", "run-9", "--model", "sonic-lite", *common]) == 4
    assert "the store has no such run" in capsys.readouterr().err
    assert main(["track", "run-9", "--mlflow", "nowhere"]) == 2
    assert server.requests == []
