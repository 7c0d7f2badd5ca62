"""Verdicts by a policy and the platform's floor."""

from __future__ import annotations

import datetime
from typing import Any

from tests.unit.gating.gate_verdicts import judged_by

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Verdict
from penstock.contract.floor import PolicyFloor
from penstock.gating.floor import Floor

EASY = {"metric": "lse_d", "max": 99.0}


def values(metric: str, *found: float, slices: tuple[str, ...] = ()) -> list[Measurement]:
    return [
        Measurement(case=f"case-{number}", metric=metric, value=value, slices=list(slices))
        for number, value in enumerate(found)
    ]


def judge(
    floor: dict[str, Any],
    policy: dict[str, Any],
    candidate: list[Measurement],
    baseline: list[Measurement] | None = None,
    cases: tuple[str, ...] = (),
) -> Verdict:
    held = Floor(PolicyFloor.model_validate(floor), "0" * 64)
    return judged_by(policy, candidate, baseline, cases=cases, floor=held, today=datetime.date(2026, 1, 1))
