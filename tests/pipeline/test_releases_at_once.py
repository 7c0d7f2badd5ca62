"""Several processes publish into one store at the same time."""

from __future__ import annotations

from pathlib import Path

from tests.unit.releases.release_race import race


def test_four_processes_publish_at_once_and_one_chain_holds(tmp_path: Path) -> None:
    race(str(tmp_path / "store"), tmp_path)
