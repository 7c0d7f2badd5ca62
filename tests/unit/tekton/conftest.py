"""Small real pipelines: written as YAML, loaded from a file, run with the shell of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.tekton.documents import ENVIRONMENT, Ran, Runner, write

from penstock.tekton.load_manifests import load_pipeline
from penstock.tekton.run_json import Event
from penstock.tekton.runner import run_pipeline


@pytest.fixture
def run(tmp_path: Path) -> Runner:
    """Run documents to their end."""

    def go(
        *documents: dict[str, Any],
        params: Mapping[str, Any] | None = None,
        workspaces: Mapping[str, Path] | None = None,
        name: str = "r",
        directory: str = "run",
        **options: Any,
    ) -> Ran:
        events: list[Event] = []
        path = write(tmp_path / "p.yaml", *documents)
        result = run_pipeline(
            load_pipeline(path),
            params or {},
            workspaces or {},
            tmp_path / directory,
            name=name,
            environment=ENVIRONMENT,
            on_event=events.append,
            **options,
        )
        return Ran(result, tmp_path / directory, events)

    return go
