"""Whether a suite can settle the margins of a policy: what ``penstock check`` says before anything runs.

A suite settles a margin if the verdict's own decision passes a model that did not change, and stops one that is worse
by two margins, each with probability ``1 - level``. That takes a margin of ``reach + z`` standard errors of the change
(3.29 at the level 0.05 with 20 cases or more): see docs/adr/0011.

How large that error is depends on what changes. In this order it is taken from

- ``comparisons``: changed models that were measured on the same cases as the release before them;
- ``noise``: runs of one model (``penstock calibrate``): a changed model moves at least as much;
- ``stopped``: changed models that the rule stopped: they move the cases by more than those that are hard to tell apart;
- ``cases``: how far the cases of one baseline lie apart. Two models whose cases are no more alike than chance differ by
  √2 times that.

The last two are upper bounds: they can show that a suite is large enough, and never that it is too small.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Literal

from penstock.contract.models import Suite
from penstock.contract.policy import Policy, Rule
from penstock.families.engine_metrics import REFUSAL_METRIC
from penstock.families.registry import find_metric, has_slices
from penstock.gating.evidence import BOOTSTRAP_CASES, FLIP_CASES, cases_needed, margin_factor, reach
from penstock.gating.known import Known, Spread
from penstock.gating.wording import subject_of

Answer = Literal["settled", "not settled", "not known"]


@dataclass(frozen=True)
class MarginCheck:
    """Whether the suite can settle the margin of one rule."""

    place: int
    """Of the rule in the policy, from 0."""
    rule: Rule
    cases: int
    """Of the suite, that the rule looks at."""
    answer: Answer
    spread: Spread | None = None
    """``None``: nothing is known but the number of cases."""
    margin: float | None = None
    """In the metric's unit; ``None``: it counts a baseline or a noise that is not known."""
    base: float | None = None
    """The mean that a relative margin is a share of."""
    error: float | None = None
    """Standard error of the mean change with this suite, in the metric's unit."""
    smallest_margin: float | None = None
    """The smallest margin that this suite settles, in the metric's unit; ``None``: none, or not known."""
    needed: int | None = None
    """Cases that would settle the margin; ``None``: no number would, or not known."""
    instead: MarginCheck | None = field(default=None, repr=False)
    """Of FID: the same for KID, where that is known."""


def margin_checks(policy: Policy, suite: Suite, known: Known) -> list[MarginCheck]:
    """What the suite can settle, one entry for each rule that has a margin and a direction.

    Args:
        policy: the rules.
        suite: the cases that a release is run over.
        known: what was measured before; with nothing, only the number of cases is looked at.

    Raises:
        UsageError: measurements are contradictory; the noise was recorded through another extractor.
    """
    together = Counter(rule.metric for rule in policy.rules if rule.slice is not None and rule.margin is not None)
    found = []
    for place, rule in enumerate(policy.rules):
        if rule.margin is None or subject_of(rule).direction is None:
            continue
        cases = cases_of(rule, suite)
        own = policy.level / (together[rule.metric] if rule.slice is not None else 1)
        check = _check(MarginCheck(place, rule, cases, "not known"), known, policy.level, own)
        metric = find_metric(rule.metric)
        if metric is not None and metric.instead is not None and check.answer != "settled":
            check = replace(check, instead=_instead(check, metric.instead, known, policy.level))
        found.append(check)
    return found


def cases_of(rule: Rule, suite: Suite) -> int:
    """How many cases a rule looks at: those that must be refused have a metric of their own, and no other."""
    looked_at = [case for case in suite.cases if (case.expect is not None) is (rule.metric == REFUSAL_METRIC.name)]
    return sum(rule.slice is None or rule.slice in case.slices for case in looked_at)


def _check(check: MarginCheck, known: Known, level: float, own: float) -> MarginCheck:
    """The answer for one rule.

    Args:
        check: the rule and its number of cases.
        known: what was measured before.
        level: the policy's.
        own: the level that the rule is judged at: smaller beside other slices of its metric (Holm).
    """
    rule, cases = check.rule, check.cases
    if rule.slice is not None and not has_slices(rule.metric):
        return replace(check, answer="not settled")
    above = reach(cases, own)
    if above is None:
        enough = range(max(cases + 1, FLIP_CASES), BOOTSTRAP_CASES + 1)
        return replace(check, answer="not settled", needed=next(count for count in enough if reach(count, own)))
    if not known.anything:
        return replace(check, margin=_as_written(rule))
    from penstock.gating.spread import base_of, margin_of, spread_of  # the gate itself: only where it is needed

    base = base_of(rule, known)
    margin = margin_of(rule, base, known)
    check = replace(check, base=base, margin=margin)
    if margin is None or (spread := spread_of(rule, margin, cases, known, level)) is None:
        return check
    smallest = margin_factor(level, above) * spread.error(cases)
    settled = smallest <= margin
    answer: Answer = "settled" if settled else "not known" if spread.is_bound else "not settled"
    needed = None if settled else _needed(spread, margin, level, own, cases)
    return replace(
        check, answer=answer, spread=spread, error=spread.error(cases), smallest_margin=smallest, needed=needed
    )


def _as_written(rule: Rule) -> float | None:
    """A margin that is in the metric's unit already; ``None`` for one that counts something which is not known."""
    return rule.margin.amount if rule.margin is not None and rule.margin.in_unit else None


def _needed(spread: Spread, margin: float, level: float, own: float, cases: int) -> int | None:
    """The number of cases that settle a margin; ``None`` if none does."""
    room = margin**2 - (margin_factor(level, reach(BOOTSTRAP_CASES, own) or 0.0) * spread.shared) ** 2
    if room <= 0:
        return None
    found = cases_needed(spread.of_a_case, math.sqrt(room), own, cases, power=1 - level)
    while found is not None and found < BOOTSTRAP_CASES:  # the bounds of fewer cases are wider
        above = reach(found, own)
        if above is not None and margin_factor(level, above) * spread.error(found) <= margin:
            break
        found += 1
    return found


def _instead(check: MarginCheck, metric: str, known: Known, level: float) -> MarginCheck | None:
    """What margin of another metric the same suite could settle; ``None`` where that is not known."""
    rule = Rule.model_validate({"metric": metric, "margin": 0})
    found = _check(replace(check, rule=rule), known, level, level)
    return found if found.spread is not None and not found.spread.is_bound else None
