"""A policy over a run that asks less than a release does: which of its rules can be judged, and what the others miss.

A pull request runs a few cases of the suite, and no page, no load, no check of the interface. A rule about what was not
tried says nothing for or against the commit, so it is left out of the verdict, and the verdict says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.bundle.verdict_record import NotAsked, RuleResult, Verdict
from penstock.contract.policy import Policy, Rule
from penstock.families.engine_metrics import (
    ENGINE_METRICS,
    ENVIRONMENT_METRIC,
    ENVIRONMENT_WARNINGS,
    EXPORT_METRIC,
    LOG_METRIC,
    PREFERENCE_METRIC,
    REFUSAL_METRIC,
    base_metric,
)
from penstock.families.registry import find_metric

_OF_THE_ENGINE = {metric.name for metric in ENGINE_METRICS if metric.whole_suite}
_OF_ANY_RUN = {metric.name for metric in (EXPORT_METRIC, LOG_METRIC, ENVIRONMENT_METRIC, ENVIRONMENT_WARNINGS)}
"""Values of the whole run that mean the same however many cases it has."""
LATER = "only a release tries it"


def asked(policy: Policy, measurements: Sequence[Measurement], *, slice_name: str) -> tuple[Policy, list[NotAsked]]:
    """The policy with the rules that this run can answer, and the others with the reason.

    Args:
        policy: the contract's, with the rules that the contract brings.
        measurements: the run's.
        slice_name: the only cases that were run; empty: the whole suite.
    """
    kept: list[Rule] = []
    left: list[NotAsked] = []
    for rule in policy.rules:
        why = _why_not(rule, measurements, slice_name)
        if why:
            left.append(NotAsked(metric=rule.metric, slice=rule.slice, why=why))
        else:
            kept.append(rule)
    return policy.model_copy(update={"rules": kept}), left


def looks_worse(verdict: Verdict) -> list[RuleResult]:
    """Undecided rules whose metric got worse by more than its margin, which so few cases cannot tell from chance.

    A few cases seldom settle a margin. A commit that they leave open is let through, unless it looks like this.
    """
    return [rule for rule in verdict.rules if rule.blocks and rule.verdict == "inconclusive" and _beyond(rule)]


def is_harmless(verdict: Verdict) -> bool:
    """Whether an inconclusive verdict of a short run says nothing against the commit."""
    return verdict.verdict == "inconclusive" and bool(verdict.cases and verdict.rules) and not looks_worse(verdict)


def _beyond(rule: RuleResult) -> bool:
    if rule.change is None or rule.margin is None or rule.better is None:
        return False
    return (rule.change if rule.better == "lower" else -rule.change) > rule.margin


def of_cases(measurements: Iterable[Measurement], cases: Iterable[str]) -> list[Measurement]:
    """The values of these cases, and those of the whole suite."""
    wanted = {*cases, WHOLE_SUITE}
    return [item for item in measurements if item.case in wanted]


def _why_not(rule: Rule, measurements: Sequence[Measurement], slice_name: str) -> str:
    """Why a rule cannot be judged; empty: it can.

    A metric of the cases is never left out because a value is missing: that is a finding. Where its cases say that it
    does not apply to them, nothing is missing; the release looks at the others.
    """
    if rule.metric == PREFERENCE_METRIC.name:
        return "nobody rates a pull request"
    lines = [item for item in measurements if item.metric == rule.metric]
    if not lines and base_metric(rule.metric) in _OF_THE_ENGINE:
        return LATER
    if not slice_name:
        return ""
    known = find_metric(rule.metric)
    if known is not None and known.whole_suite and rule.metric not in _OF_ANY_RUN:
        return "a value of the whole suite"
    if rule.slice is not None and not any(rule.slice in item.slices for item in measurements):
        return f"none of the cases '{slice_name}' has the slice '{rule.slice}'"
    mine = [item for item in lines if rule.slice is None or rule.slice in item.slices]
    if rule.metric == REFUSAL_METRIC.name and not mine:
        return f"none of the cases '{slice_name}' must be refused"
    compares = known is not None and known.needs_released  # the gate has words of its own for these
    if mine and not compares and not any(item.applies for item in mine):
        return f"it applies to none of the cases '{slice_name}'"
    return ""
