"""``drift.json``: written and read again; absent where nothing was compared."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import (
    DriftRecord,
    MovedCondition,
    RuleMovement,
    is_watched,
    read_drift,
    write_drift,
)
from penstock.bundle.models import Run

DRIFT = DriftRecord(
    model="m",
    version="1.0.0",
    released_run="r",
    run="w",
    time="2026-11-27T00:00:00+00:00",
    level=0.05,
    outcome="values",
    conditions=[MovedCondition(kind="driver", what="card and driver", then="A, 550", now="A, 560")],
    rules=[RuleMovement(metric="lse_d", state="moved", then=7.0, now=8.0, change=1.0, interval=(0.5, 1.5), n=20)],
)


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    assert read_drift(bundle) is None
    write_drift(bundle, DRIFT)
    assert read_drift(bundle) == DRIFT


def test_a_run_of_a_released_model_is_known_by_its_track() -> None:
    assert is_watched(Run(penstock="0.1.0", run_id="w", track="watch"))
    assert not is_watched(Run(penstock="0.1.0", run_id="w", track="release"))
