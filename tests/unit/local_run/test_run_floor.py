"""``--policy-floor``: checked before anything runs, kept with the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.contract.floor import FLOOR_FILE, floor_in
from penstock.foundation.errors import UsageError
from penstock.local_run.run_floor import FLOOR, check_floor, keep_floor


def floor(folder: Path, text: str) -> Path:
    path = folder / "anything.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_run_keeps_the_rules_that_it_began_with(tmp_path: Path) -> None:
    file = floor(tmp_path, "rules:\n  - {metric: latency, max: 1.0}\n")
    check_floor(file)
    run = tmp_path / "run"
    run.mkdir()
    keep_floor(run, None)
    assert not (run / FLOOR).exists()
    keep_floor(run, file)
    file.write_text("rules:\n  - {metric: latency, max: 99.0}\n", encoding="utf-8")
    kept = floor_in(run / FLOOR)
    assert kept is not None
    assert kept.name == FLOOR_FILE
    assert "1.0" in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    ["rules: []\n", "rules:\n  - {metric: latency, margin: 5 sd}\n", "rules:\n  - {metric: lse_d, mx: 1}\n", "{"],
)
def test_what_is_no_floor_is_told_before_anything_runs(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError):
        check_floor(floor(tmp_path, text))
