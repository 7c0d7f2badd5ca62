"""Two sides to a verdict: what ``penstock gate``, ``penstock compare --policy`` and :func:`penstock.gate` do."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.verdict_record import Verdict
from penstock.contract.policy import Policy
from penstock.gating.calibration import calibration_of
from penstock.gating.comparable import check_comparable
from penstock.gating.floor import Floor
from penstock.gating.gate import gate
from penstock.gating.measurements import MeasurementSource


def judge(
    candidate: MeasurementSource,
    baseline: MeasurementSource | None,
    policy: Policy,
    folder: Path,
    *,
    floor: Floor | None = None,
) -> Verdict:
    """Judge a candidate by a policy, after checking that the two sides can be compared at all.

    Args:
        candidate: the side that is judged.
        baseline: the side that it is compared with; ``None`` for a first release.
        policy: the rules.
        folder: where the policy lies: its ``calibration`` is relative to it.
        floor: the platform's rules, judged as well.

    Raises:
        UsageError: the policy cannot be applied, or the two sides cannot be compared.
    """
    if baseline is not None:
        check_comparable(candidate.run, baseline.run)
    return gate(
        candidate.measurements,
        baseline.measurements if baseline is not None else None,
        policy,
        candidate_name=candidate.name,
        baseline_name=baseline.name if baseline is not None else None,
        cases=candidate.cases,
        calibration=calibration_of(policy, folder),
        floor=floor,
    )
