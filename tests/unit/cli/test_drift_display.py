"""What ``penstock watch --scheduled`` prints, and how it ends."""

from __future__ import annotations

import pytest
from tests.unit.bundle.test_drift_record import DRIFT

from penstock.bundle.drift_record import DriftOutcome
from penstock.cli.drift_display import drift_exit_code, drift_lines


@pytest.mark.parametrize(("outcome", "code"), [("same", 0), ("values", 1), ("conditions", 3)])
def test_each_outcome_has_its_code(outcome: DriftOutcome, code: int) -> None:
    assert drift_exit_code(DRIFT.model_copy(update={"outcome": outcome})) == code


def test_what_moved_is_shown_line_by_line() -> None:
    told = DRIFT.model_copy(update={"answers": 3, "answers_same": 1, "not_known": ["card"]})
    assert drift_lines(told) == [
        "m 1.0.0: values moved (driver)",
        "! card and driver: A, 550 → A, 560",
        "✗ lse_d: 7 → 8, change +1 (+0.5 … +1.5)",
        "1 of 3 answers are the same byte by byte",
        "not recorded both times, so not compared: card",
    ]
