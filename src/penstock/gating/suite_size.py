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
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from penstock.bundle.models import WHOLE_SUITE
from penstock.contract.models import Suite
from penstock.contract.policy import Policy, Rule
from penstock.families.family import REFUSAL_METRIC
from penstock.families.registry import find_metric, is_whole_suite
from penstock.gating.calibration import Calibration, margin_factor
from penstock.gating.decision import ROUNDING, mean
from penstock.gating.evidence import (
    BOOTSTRAP_CASES,
    FLIP_CASES,
    Evidence,
    cases_needed,
    reach,
    weigh,
    weigh_resamples,
)
from penstock.gating.gate import margin_in_unit
from penstock.gating.measurements import Table, Values
from penstock.gating.rules import paired_change
from penstock.gating.wording import subject_of

Answer = Literal["settled", "not settled", "not known"]
Basis = Literal["comparisons", "noise", "stopped", "cases"]
Pair = tuple[Table, Table]
"""What a changed model was compared with, and the model."""


@dataclass(frozen=True)
class Spread:
    """How far the mean change of a metric may be off, for any number of cases."""

    basis: Basis
    of_a_case: float
    """Standard deviation of one case's difference, in the metric's unit. It falls with √cases."""
    shared: float = 0.0
    """What moves all cases of a run together, in the metric's unit. More cases do not help against it."""
    seen: int = 1
    """Comparisons, or runs, that it was taken from."""

    @property
    def is_bound(self) -> bool:
        """Whether the error is no larger than this, and may be far smaller."""
        return self.basis in ("stopped", "cases")

    def error(self, cases: int) -> float:
        """Standard error of the mean change over so many cases."""
        return math.hypot(self.shared, self.of_a_case / math.sqrt(cases))


@dataclass(frozen=True)
class Known:
    """What was measured of the model before."""

    baseline: Table | None = None
    pairs: Sequence[Pair] = ()
    calibration: Calibration | None = None

    @property
    def anything(self) -> bool:
        """Whether there is anything to judge a suite by, beyond its size."""
        return self.baseline is not None or bool(self.pairs) or self.calibration is not None


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
        cases = _cases_of(rule, suite)
        own = policy.level / (together[rule.metric] if rule.slice is not None else 1)
        check = _check(MarginCheck(place, rule, cases, "not known"), known, policy.level, own)
        metric = find_metric(rule.metric)
        if metric is not None and metric.instead is not None and check.answer != "settled":
            check = replace(check, instead=_instead(check, metric.instead, known, policy.level))
        found.append(check)
    return found


def _cases_of(rule: Rule, suite: Suite) -> int:
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
    if is_whole_suite(rule.metric) and rule.slice is not None:
        return replace(check, answer="not settled")
    above = reach(cases, own)
    if above is None:
        enough = range(max(cases + 1, FLIP_CASES), BOOTSTRAP_CASES + 1)
        return replace(check, answer="not settled", needed=next(count for count in enough if reach(count, own)))
    base = _base(rule, known)
    margin = _margin(rule, base, known)
    check = replace(check, base=base, margin=margin)
    if margin is None or (spread := _spread(check, known, level)) is None:
        return check
    smallest = margin_factor(level, above) * spread.error(cases)
    settled = smallest <= margin
    answer: Answer = "settled" if settled else "not known" if spread.is_bound else "not settled"
    needed = None if settled else _needed(spread, margin, level, own, cases)
    return replace(
        check, answer=answer, spread=spread, error=spread.error(cases), smallest_margin=smallest, needed=needed
    )


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


def _base(rule: Rule, known: Known) -> float | None:
    """The mean that a margin is a share of: the baseline's, else that of the runs whose noise was recorded."""
    if known.baseline is not None:
        values = known.baseline.values(rule.metric, rule.slice)
        if values.by_case:
            return mean(list(values.by_case.values()))
    noise = known.calibration.of(rule.metric, rule.slice) if known.calibration is not None else None
    return noise.mean if noise is not None else None


def _margin(rule: Rule, base: float | None, known: Known) -> float | None:
    """The margin in the metric's unit; ``None`` where that is not known."""
    if rule.margin is None or (rule.margin.relative and base is None):
        return None
    if rule.margin.noise and (known.calibration is None or known.calibration.of(rule.metric, rule.slice) is None):
        return None
    tables = [known.baseline] if known.baseline is not None else []
    return margin_in_unit(rule, base or 0.0, known.calibration, tables)


def _spread(check: MarginCheck, known: Known, level: float) -> Spread | None:
    """The best that is known of how far the mean change may be off."""
    noise = _from_noise(check, known.calibration)
    compared, stopped = _from_pairs(check, known.pairs, level)
    at_least = [found for found in (compared, noise) if found is not None]
    at_most = [found for found in (stopped, _from_cases(check.rule, known.baseline)) if found is not None]
    if at_least:
        return max(at_least, key=lambda found: found.error(check.cases))
    return min(at_most, key=lambda found: found.error(check.cases)) if at_most else None


def _from_pairs(check: MarginCheck, pairs: Sequence[Pair], level: float) -> tuple[Spread | None, Spread | None]:
    """Pooled over the comparisons in which the model changed: those that the rule did not stop, and those it did."""
    rule, margin = check.rule, check.margin or 0.0
    near: list[float] = []
    far: list[float] = []
    for before, after in pairs:
        there, here = before.values(rule.metric, rule.slice), after.values(rule.metric, rule.slice)
        common = here.by_case.keys() & there.by_case.keys()
        if not common:
            continue
        evidence = paired_change(
            rule, subject_of(rule), _only(here, common), _only(there, common), lambda _rule, _base: margin
        ).evidence
        if evidence.deviation:
            (far if evidence.worse_than(margin, 0.0) <= level else near).append(evidence.deviation)
    return _pooled("comparisons", near), _pooled("stopped", far)


def _only(side: Values, cases: Collection[str]) -> Values:
    return replace(side, by_case={case: side.by_case[case] for case in cases})


def _pooled(basis: Basis, deviations: Sequence[float]) -> Spread | None:
    if not deviations:
        return None
    return Spread(basis, math.sqrt(mean([value**2 for value in deviations])), seen=len(deviations))


def _from_noise(check: MarginCheck, calibration: Calibration | None) -> Spread | None:
    """From runs of one model; ``None`` also for one that gives the same values in every run: that says nothing of a
    model that changed.
    """
    noise = calibration.of(check.rule.metric, check.rule.slice) if calibration is not None else None
    if calibration is None or noise is None or noise.deterministic:
        return None
    whole = noise.sd_resampled is not None
    cases = (calibration.measured_on.cases or check.cases) if whole else noise.cases
    of_a_case = (noise.sd_resampled or 0.0) * math.sqrt(cases) if whole else noise.sd_difference
    shared = math.sqrt(max(0.0, noise.error**2 - of_a_case**2 / cases))
    return Spread("noise", of_a_case, shared, seen=noise.runs)


def _from_cases(rule: Rule, baseline: Table | None) -> Spread | None:
    """The upper bound from one side alone; ``None`` if that has fewer than two cases."""
    if baseline is None:
        return None
    values = baseline.values(rule.metric, rule.slice)
    evidence: Evidence | None = None
    if values.by_case.keys() == {WHOLE_SUITE}:
        if values.resamples is not None and len(values.resamples.values) > 1:
            evidence = weigh_resamples(0.0, values.resamples.values, values.resamples.cases)
    elif len(values.by_case) > 1:
        largest = max(abs(value) for value in values.by_case.values())
        evidence = weigh(list(values.by_case.values()), ROUNDING * largest)
    if evidence is None or not evidence.deviation:
        return None  # cases that are all alike say nothing of what a change does to them
    return Spread("cases", math.sqrt(2) * evidence.deviation)


def _instead(check: MarginCheck, metric: str, known: Known, level: float) -> MarginCheck | None:
    """What margin of another metric the same suite could settle; ``None`` where that is not known."""
    rule = Rule.model_validate({"metric": metric, "margin": 0})
    found = _check(replace(check, rule=rule), known, level, level)
    return found if found.spread is not None and not found.spread.is_bound else None
