"""All rules to one verdict."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.bundle.models import Measurement, Outcome, RuleResult, Verdict
from penstock.contract.policy import Policy, rule_faults
from penstock.errors import UsageError
from penstock.gating.measurements import Table
from penstock.gating.rules import judge
from penstock.metrics.registry import METRICS


def gate(
    candidate: Sequence[Measurement],
    baseline: Sequence[Measurement] | None,
    policy: Policy,
    *,
    candidate_name: str,
    baseline_name: str | None,
    cases: Sequence[str] = (),
) -> Verdict:
    """Hold the candidate against the policy and the baseline.

    Args:
        candidate: its measurements, in any order.
        baseline: those of the released model; ``None`` for a first release: margins then have nothing to compare with,
            and the verdict records that there was no baseline.
        policy: the rules.
        candidate_name: the run's id or path, for the record.
        baseline_name: the same of the baseline; ``None`` if there is none.
        cases: cases that were put to the candidate: each must have a value of every metric that is measured by case.

    Returns:
        ``fail`` if a rule that blocks fails, else ``inconclusive`` if one is, else ``pass``.

    Raises:
        UsageError: the policy cannot be applied, or the measurements cannot be compared (two values for one case,
            different extractors).
    """
    known = {metric.name: metric.direction for metric in METRICS.values()}
    for fault in rule_faults(policy, known=known):
        if not fault.warning:
            raise UsageError(fault.what, where=f"policy.rules[{fault.rule}].{fault.field}", todo=fault.todo)
    ours = Table("candidate", candidate, cases)
    theirs = Table("baseline", baseline) if baseline is not None else None
    results = [judge(rule, ours, theirs, policy.level) for rule in policy.rules]
    return Verdict(
        verdict=overall(results),
        baseline=baseline_name if baseline is not None else None,
        candidate=candidate_name,
        level=policy.level,
        rules=results,
    )


def overall(results: Sequence[RuleResult]) -> Outcome:
    """The verdict over all rules; those that only warn have no say."""
    outcomes = {result.verdict for result in results if result.severity == "block"}
    return "fail" if "fail" in outcomes else "inconclusive" if "inconclusive" in outcomes else "pass"


def headline(verdict: Verdict) -> str:
    """The verdict in one line: the reason of the first rule that decided it, and how many more there are."""
    deciding = [rule for rule in verdict.rules if rule.severity == "block" and rule.verdict == verdict.verdict]
    if verdict.verdict == "pass":
        warned = sum(rule.verdict != "pass" for rule in verdict.rules)
        warnings = f", {warned} of them only to warn and not held" if warned else ""
        against = "the baseline" if verdict.baseline is not None else "no baseline (first release)"
        return f"pass against {against}: {len(verdict.rules)} rule{'s' if len(verdict.rules) != 1 else ''}{warnings}"
    more = f" (and {len(deciding) - 1} more)" if len(deciding) > 1 else ""
    return f"{verdict.verdict}: {deciding[0].reason}{more}"
