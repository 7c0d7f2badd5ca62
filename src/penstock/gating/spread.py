"""How far the mean change of a metric may be off, taken from what was measured of a model before.

From which, and in what order, :mod:`penstock.gating.suite_size` says.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace

from penstock.bundle.models import WHOLE_SUITE
from penstock.contract.policy import Rule
from penstock.gating.calibration import Calibration
from penstock.gating.decision import ROUNDING, mean
from penstock.gating.evidence import Evidence, weigh, weigh_resamples
from penstock.gating.gate import margin_in_unit
from penstock.gating.known import Basis, Known, Spread
from penstock.gating.measurements import Table, Values
from penstock.gating.rules import paired_change
from penstock.gating.wording import subject_of


def base_of(rule: Rule, known: Known) -> float | None:
    """The mean that a margin is a share of: the baseline's, else that of the runs whose noise was recorded."""
    if known.baseline is not None:
        values = known.baseline.values(rule.metric, rule.slice)
        if values.by_case:
            return mean(list(values.by_case.values()))
    noise = known.calibration.of(rule.metric, rule.slice) if known.calibration is not None else None
    return noise.mean if noise is not None else None


def margin_of(rule: Rule, base: float | None, known: Known) -> float | None:
    """The margin in the metric's unit; ``None`` where that is not known."""
    if rule.margin is None or (rule.margin.relative and base is None):
        return None
    if rule.margin.noise and (known.calibration is None or known.calibration.of(rule.metric, rule.slice) is None):
        return None
    tables = [known.baseline] if known.baseline is not None else []
    if rule.margin.floor and all(table.floor(rule.metric, rule.slice) is None for table in tables):
        return None
    return margin_in_unit(rule, base or 0.0, known.calibration, tables)


def spread_of(rule: Rule, margin: float, cases: int, known: Known, level: float) -> Spread | None:
    """The best that is known of how far the mean change may be off; ``None`` where that is nothing.

    Args:
        rule: the rule that is judged.
        margin: its margin, in the metric's unit.
        cases: of the suite, that the rule looks at.
        known: what was measured before.
        level: the policy's.
    """
    noise = _from_noise(rule, cases, known.calibration)
    compared, stopped = _from_pairs(rule, margin, known.pairs, level)
    at_least = [found for found in (compared, noise) if found is not None]
    at_most = [found for found in (stopped, _from_cases(rule, known.baseline)) if found is not None]
    if at_least:
        return max(at_least, key=lambda found: found.error(cases))
    return min(at_most, key=lambda found: found.error(cases)) if at_most else None


def _from_pairs(
    rule: Rule, margin: float, pairs: Sequence[tuple[Table, Table]], level: float
) -> tuple[Spread | None, Spread | None]:
    """Pooled over the comparisons in which the model changed: those that the rule did not stop, and those it did."""
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


def _from_noise(rule: Rule, suite_cases: int, calibration: Calibration | None) -> Spread | None:
    """From runs of one model; ``None`` also for one that gives the same values in every run: that says nothing of a
    model that changed.
    """
    noise = calibration.of(rule.metric, rule.slice) if calibration is not None else None
    if calibration is None or noise is None or noise.deterministic:
        return None
    whole = noise.sd_resampled is not None
    cases = noise.cases
    if whole:  # one value, and the record says of the whole suite alone how many cases it was of
        cases = (calibration.measured_on.cases if rule.slice is None else 0) or suite_cases
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
