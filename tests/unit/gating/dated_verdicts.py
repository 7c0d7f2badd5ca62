"""Verdicts of one day, on which a waiver holds or is over."""

from __future__ import annotations

import datetime
from typing import Any

from tests.unit.gating.gate_verdicts import judged_by

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Verdict

TODAY = datetime.date(2026, 5, 4)


def verdict(candidate: list[Measurement], baseline: list[Measurement] | None, **policy: Any) -> Verdict:
    return judged_by(policy, candidate, baseline, today=TODAY)
