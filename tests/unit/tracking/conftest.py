"""A server, and a store with two releases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.releases.released_runs import released
from tests.unit.tracking.mlflow_server import MlflowServer, mlflow_server

from penstock.store.local import LocalStore


@pytest.fixture
def server() -> Iterator[MlflowServer]:
    with mlflow_server() as found:
        yield found


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    """1.0.0 and 1.1.0, the current one; the bundles lie in ``tmp_path/run-0`` and ``run-1``."""
    store = LocalStore(tmp_path / "store")
    for number, before in enumerate([None, "run-0"]):
        released(tmp_path, store, f"run-{number}", f"1.{number}.0", "https://git.example.org/a", baseline=before)
    return store
