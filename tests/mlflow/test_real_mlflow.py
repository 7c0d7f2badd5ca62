"""Runs, versions and the alias in a real MLflow server, read back with MLflow's own client.

``make mlflow``; ``PENSTOCK_MLFLOW`` names the environment of its own that has it.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.releases.released_runs import released

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.releases.acts import promote, roll_back, withdraw
from penstock.store.local import LocalStore
from penstock.tracking.mlflow_api import Mlflow, MlflowPlace
from penstock.tracking.track import follow_release, track_run

ENVIRONMENT = os.environ["PENSTOCK_MLFLOW"]
MODEL = "sonic-lite"
START_S = 120.0

pytestmark = pytest.mark.timeout(300)

READ = """
import json, sys
from mlflow import MlflowClient
client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name("sonic-lite")
runs = client.search_runs([experiment.experiment_id])
runs.sort(key=lambda run: run.data.tags["penstock.run_id"], reverse=True)
histories = {key: len(client.get_metric_history(runs[0].info.run_id, key)) for key in [*runs[0].data.metrics][:5]}
print(json.dumps({
    "ids": [run.info.run_id for run in runs],
    "runs": [[run.info.status, run.data.tags, run.data.params, run.data.metrics] for run in runs],
    "written": max(histories.values()),
    "versions": {v.version: [v.tags, v.run_id, v.source] for v in client.search_model_versions("name='sonic-lite'")},
    "current": client.get_model_version_by_alias("sonic-lite", "current").version,
}))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on this machine with a database of its own."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [f"{ENVIRONMENT}/bin/mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--default-artifact-root",
        f"{folder}/artifacts",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/health").is_success:
                break
        except httpx.HTTPError:
            time.sleep(0.5)
    else:
        pytest.fail((folder / "log").read_text(errors="replace")[-2000:])
    yield url
    process.terminate()
    process.wait(30)


def read(url: str) -> dict[str, Any]:
    """What MLflow's own client sees."""
    done = subprocess.run([f"{ENVIRONMENT}/bin/python", "-c", READ, url], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_runs_versions_and_the_alias(server: str, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", "https://git.example.org/a", baseline=before)
    cases = [Measurement(case=f"größe/{n}: a b", metric="lse_d", value=float(n)) for n in range(1_200)]
    bundle = Bundle(tmp_path / "run-1")
    bundle.write_measurements([*cases, Measurement(case="*", metric="fid", value=3.5)])
    parameters: dict[str, Any] = {f"p {n}": "größer" * 20 for n in range(150)}
    bundle.update_run(bundle.run().model_copy(update={"parameters": parameters, "notes": "größer"}))
    mlflow = Mlflow(MlflowPlace(server))
    assert [track_run(mlflow, bundle, "s3://releases/runs/sonic-lite/run-1").changed for _ in range(2)] == [True, False]
    mlflow.post(
        "runs/set-tag", {"run_id": track_run(mlflow, bundle, "").run, "key": "penstock.tracked", "value": "old"}
    )
    assert track_run(mlflow, bundle, "s3://releases/runs/sonic-lite/run-1").changed
    followed = follow_release(mlflow, store, MODEL)
    assert followed is not None
    there = read(server)
    (status, tags, params, metrics), (_, missed, _, _) = there["runs"]
    assert missed["penstock.run_id"] == "run-0", "it was brought from the store"
    assert [there["versions"][n][1] for n in ("2", "1")] == there["ids"]
    assert (status, tags["penstock.verdict"], tags["penstock.evidence"]) == (
        "FINISHED",
        "pass",
        "s3://releases/runs/sonic-lite/run-1",
    )
    assert (len(params), len(metrics), metrics["lse_d"], metrics["fid"]) == (152, 1_202, 599.5, 3.5)
    assert there["written"] == 1, "what is written again is the same value"
    assert [there["versions"][n][0]["penstock.version"] for n in ("1", "2")] == ["1.0.0", "1.1.0"]
    assert there["current"] == "2"
    roll_back(store, MODEL, reason="flicker", by="ann")
    follow_release(mlflow, store, MODEL)
    assert read(server)["current"] == "1"
    promote(store, MODEL, "1.1.0", reason="the network", by="ann")
    withdraw(store, MODEL, "1.0.0", reason="data", by="ann")
    follow_release(mlflow, store, MODEL)
    again = follow_release(mlflow, store, MODEL)
    assert again is not None
    assert not again.changed
    there = read(server)
    assert there["current"] == "2"
    assert there["versions"]["1"][0]["penstock.withdrawn"].endswith("by ann: data")
