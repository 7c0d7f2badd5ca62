"""Values of cases, what the gate says of them, and the bundles and results that a report is made of."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.contract.policy import Policy
from penstock.gating.gate import gate
from penstock.report.old_verdicts import completed

NAMES = [f"case-{n:02}" for n in range(24)]
BEFORE = [7.0 + 0.01 * n for n in range(24)]


def values(metric: str, numbers: list[float], slices: tuple[str, ...] = ()) -> list[Measurement]:
    return [
        Measurement(case=case, metric=metric, value=value, slices=list(slices))
        for case, value in zip(NAMES, numbers, strict=False)
    ]


def judged(rules: list[dict[str, object]], before: list[Measurement], after: list[Measurement]) -> Verdict:
    policy = Policy.model_validate({"rules": rules})
    return gate(after, before, policy, candidate_name="new", baseline_name="old")


def result(**more: object) -> RuleResult:
    known = {"metric": "lse_d", "slice": None, "verdict": "fail", "reason": "", "limit": "", "n": 1}
    empty = dict.fromkeys(("baseline", "candidate", "change", "interval"))
    return completed(RuleResult.model_validate(known | empty | more))


def bundle(path: Path, numbers: dict[str, dict[str, float | None]]) -> Bundle:
    made = Bundle(path)
    path.mkdir()
    made.write_measurements(
        Measurement(case=case, metric=metric, value=value, slices=["s"] if case.endswith("s") else [], error=None)
        for case, metrics in numbers.items()
        for metric, value in metrics.items()
    )
    return made
