"""Verdicts on values that are written in the test."""

from __future__ import annotations

from typing import Any

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.contract.policy import Policy
from penstock.gating.gate import gate

Values = dict[str, float | None]


def lines(
    metric: str, values: Values, *, extractor: str | None = None, slices: dict[str, list[str]] | None = None
) -> list[Measurement]:
    return [
        Measurement(
            case=case,
            metric=metric,
            value=value,
            extractor=extractor,
            slices=(slices or {}).get(case, []),
            error="the model answered 500" if value is None else None,
        )
        for case, value in values.items()
    ]


def judged_by(
    policy: dict[str, Any], candidate: list[Measurement], baseline: list[Measurement] | None, **more: Any
) -> Verdict:
    """The gate's verdict on ``new`` against ``old``."""
    return gate(
        candidate,
        baseline,
        Policy.model_validate(policy),
        candidate_name="new",
        baseline_name="old" if baseline is not None else None,
        **more,
    )


def verdict(
    candidate: list[Measurement],
    baseline: list[Measurement] | None,
    *rules: dict[str, Any],
    cases: tuple[str, ...] = (),
) -> Verdict:
    return judged_by({"rules": list(rules)}, candidate, baseline, cases=cases)


def judged(metric: str, candidate: Values, baseline: Values | None, **rule: Any) -> RuleResult:
    theirs = lines(metric, baseline) if baseline is not None else None
    return verdict(lines(metric, candidate), theirs, {"metric": metric, **rule}).rules[0]
