"""A service is tried in a process of its own, within its time, and what is wrong with it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.interface.small_service import SmallService, tried

from penstock.foundation.errors import WorldError
from penstock.interface import confined_trial
from penstock.interface.trial_order import Trial


def kinds(trial: Trial) -> set[tuple[str, str, int | None]]:
    return {(found.operation, found.kind, found.status) for found in trial.findings}


@pytest.mark.slow
def test_a_process_that_hangs_or_breaks_off_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined_trial, "START_S", -4.0)
    monkeypatch.setattr(confined_trial, "BOOT", "import time; time.sleep(60)")
    trial = tried(SmallService(), tmp_path, interface={"seconds": 5.0})
    assert trial.ended == "the document cannot be tried to its end: it was ended after 1 s"
    assert kinds(trial) == {("", "document", None)}
    monkeypatch.setattr(confined_trial, "BOOT", "raise SystemExit('MemoryError')")
    monkeypatch.setattr(confined_trial, "START_S", 20.0)
    assert tried(SmallService(), tmp_path).ended.endswith("MemoryError")


def test_without_schemathesis_nothing_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(WorldError, match=r"schemathesis is not installed.*penstock\[interface\]"):
        tried(SmallService(), tmp_path)
