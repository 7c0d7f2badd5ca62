"""What "worse" means: the gate's own answer to one rule, with the good commit as the baseline."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from penstock.bisect.search import Answer
from penstock.bundle.verdict_record import Outcome, RuleResult
from penstock.contract.policy import Margin, Policy, Rule
from penstock.families.registry import known_metrics
from penstock.foundation.errors import UsageError
from penstock.gating.calibration import Calibration, calibration_of
from penstock.gating.gate import gate
from penstock.gating.measurements import MeasurementSource, Table
from penstock.gating.wording import subject_of

SETTLED_BY_BAD: dict[Outcome, tuple[Answer, str]] = {
    "fail": ("not worse", "but the bad commit is worse than this one"),
    "pass": ("worse", "and the bad commit is not worse than this one"),
    "inconclusive": ("skipped", "and it cannot be told whether the bad commit is worse than this one"),
}
"""The gate's answer to the bad commit with a commit in between as the baseline → what that commit is."""


@dataclass(frozen=True)
class Judged:
    """What is known of one commit."""

    answer: Answer
    why: str
    against_good: RuleResult | None = None
    against_bad: RuleResult | None = None
    """Of a commit that the good one could not settle: the bad commit compared with it."""


@dataclass(frozen=True)
class Question:
    """One metric, and the one rule that it is held to."""

    policy: Policy
    calibration: Calibration | None = None

    @property
    def rule(self) -> Rule:
        """The only rule."""
        return self.policy.rules[0]

    @property
    def title(self) -> str:
        """The metric as people call it, with its slice."""
        title = subject_of(self.rule).title
        return title if self.rule.slice is None else f"{title} in '{self.rule.slice}'"

    def compare(self, candidate: MeasurementSource, baseline: MeasurementSource) -> RuleResult:
        """The gate's answer to the rule.

        Raises:
            UsageError: the values cannot be compared.
        """
        verdict = gate(
            candidate.measurements,
            baseline.measurements,
            self.policy,
            candidate_name=candidate.name,
            baseline_name=baseline.name,
            cases=candidate.cases,
            calibration=self.calibration,
        )
        return verdict.rules[0]

    def lost(self, side: MeasurementSource) -> str:
        """Why there is no value for every case; empty if there is one for each."""
        values = Table(side.name, side.measurements, side.cases).values(self.rule.metric, self.rule.slice)
        if not values.cases:
            return f"there is no value of {self.title}"
        if not values.lost:
            return ""
        case, reason = min(values.lost.items())
        return f"no value of {self.title} for {len(values.lost)} of {len(values.cases)} cases, first '{case}': {reason}"

    def judge(self, commit: MeasurementSource, good: MeasurementSource, bad: MeasurementSource) -> Judged:
        """Whether a commit between good and bad is worse than the good one.

        Compared with the good commit: *fail* is worse, *pass* is not worse. Where that is inconclusive, the bad commit
        is compared with this one: if it is worse than this one (*fail*), this one still belongs to the good side; if it
        is not (*pass*), this one is as bad; otherwise nobody can tell, and the commit is skipped. A commit without all
        values is skipped too, unless the bad one lacks values itself: then losing them is what is looked for.

        Raises:
            UsageError: the values cannot be compared.
        """
        lost = self.lost(commit)
        if lost and not self.lost(bad):
            return Judged("skipped", lost)
        against_good = self.compare(commit, good)
        if against_good.verdict == "fail":
            return Judged("worse", against_good.reason, against_good)
        if against_good.verdict == "pass":
            return Judged("not worse", against_good.reason, against_good)
        against_bad = self.compare(bad, commit)
        answer, addition = SETTLED_BY_BAD[against_bad.verdict]
        return Judged(answer, f"{against_good.reason}; {addition}", against_good, against_bad)


def question(
    policy: Policy | None,
    policy_directory: Path,
    metric: str,
    *,
    slice_name: str | None,
    margin: str = "",
    where: str = "the contract's policy",
) -> Question:
    """The rule for a metric: from the policy, with what the command line says above it.

    A margin from the command line stands alone: the policy's bounds are then left out, so that only the change counts.

    Args:
        policy: the rules; ``None`` if there are none.
        policy_directory: what the policy's ``calibration`` is relative to.
        metric: its name.
        slice_name: only cases with this slice; ``None`` for all.
        margin: as in a policy: ``0.2``, ``5%``, ``2 sd``, ``1 floor``; empty: the policy's.
        where: what messages call the policy.

    Raises:
        UsageError: there is no such metric, no rule for it and no margin, or a margin that cannot be read.
    """
    if metric not in known_metrics():
        close = difflib.get_close_matches(metric, known_metrics(), n=1)
        todo = f"Did you mean '{close[0]}'?" if close else f"Metrics: {', '.join(known_metrics())}."
        raise UsageError(f"there is no metric '{metric[:80]}'", where="--metric", todo=todo)
    if known_metrics()[metric].direction is None:
        todo = f"Use '{metric}_abs'." if f"{metric}_abs" in known_metrics() else "Choose another metric."
        raise UsageError(f"'{metric}' has no better and worse", where="--metric", todo=todo)
    if margin:
        rule = Rule(metric=metric, slice=slice_name, margin=_margin(margin))
    else:
        rule = _rule_of(policy, metric, slice_name, where)
    calibration = None
    if rule.margin is not None and rule.margin.noise:
        if policy is None or policy.calibration is None:
            raise UsageError(
                "the margin counts the noise, and the policy names no calibration",
                where=where,
                todo="Give --margin as a number or a share.",
            )
        calibration = calibration_of(policy, policy_directory)
    # Whatever the rule does in a release: here it is the question, so that its answer counts.
    rule = rule.model_copy(update={"severity": "block"})
    named = policy.calibration if policy is not None and calibration is not None else None
    return Question(_policy(policy, rule, named), calibration)


def _policy(policy: Policy | None, rule: Rule, calibration: str | None) -> Policy:
    """A policy of one rule, at the level of the whole one. Waivers excuse a release, they do not make it better."""
    if policy is None:
        return Policy(rules=[rule], calibration=calibration)
    return Policy(level=policy.level, rules=[rule], calibration=calibration)


def _rule_of(policy: Policy | None, metric: str, slice_name: str | None, where: str) -> Rule:
    rules = [rule for rule in policy.rules if rule.metric == metric] if policy is not None else []
    for rule in rules:
        if rule.slice == slice_name:
            return rule
    about = f"'{metric}'" if slice_name is None else f"'{metric}' in the slice '{slice_name}'"
    others = sorted(f"--slice {rule.slice}" if rule.slice is not None else "no --slice" for rule in rules)
    hint = f" It has one with {', '.join(others)}." if others else ""
    raise UsageError(
        f"there is no rule for {about}", where=where, todo=f"Say how much worse counts, e.g. --margin 5%.{hint}"
    )


def _margin(text: str) -> Margin:
    try:
        rule = Rule.model_validate({"metric": "any", "margin": text})
    except ValueError:
        rule = None
    if rule is None or rule.margin is None:
        raise UsageError(
            f"'{text[:80]}' is not a margin",
            where="--margin",
            todo="Examples: 0.2 (in the metric's unit), 5%, 2 sd, 1 floor.",
        )
    return rule.margin
