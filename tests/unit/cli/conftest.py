"""What the tests of several commands share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.cli.made_runs import archived, made_run
from tests.unit.tasks.conftest import bundle, server

__all__ = ["bundle", "out", "server"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An accepted, archived run and a newer rejected one."""
    out = tmp_path / "runs"
    archived(out, made_run(out, "sonic-1.0.0-a", "1.0.0", days=40))
    made_run(out, "sonic-1.1.0-b", "1.1.0", verdict="fail", days=2, value=5.0)
    return out
