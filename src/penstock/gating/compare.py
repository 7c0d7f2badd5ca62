"""Any two sets of measurements beside each other: what changed, how sure that is, and where it is worst. No rules."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from penstock.bundle.models import WHOLE_SUITE, Measurement, Run
from penstock.contract.policy import Direction, Policy
from penstock.families.engine_metrics import base_metric
from penstock.families.registry import directions, find_metric, in_order, is_timed
from penstock.foundation.errors import UsageError
from penstock.gating.comparable import differences, notes
from penstock.gating.decision import ROUNDING, change_interval, mean
from penstock.gating.evidence import weigh, weigh_resamples
from penstock.gating.measurements import MeasurementSource, Table, Values
from penstock.gating.wording import named

WORST = 5
"""Cases that are named."""


@dataclass(frozen=True)
class MetricChange:
    """One metric of both sides, over the cases that have a value on both."""

    metric: str
    unit: str
    direction: Direction | None
    """Which way is better, where that is known."""
    baseline: float | None
    candidate: float | None
    change: float | None
    """Mean of candidate minus baseline, paired by case."""
    interval: tuple[float, float] | None
    """One-sided bounds of the change, each at the level; ``None``: too few cases."""
    n: int
    """Cases that were paired; of a value of the whole suite, those that its resamples were drawn from."""
    note: str = ""
    """Why there is no change, or what it leaves out."""
    slice: str | None = None
    """The slice that it is of; ``None``: all cases."""
    better: int = 0
    """Cases in which the candidate is better; 0 where it is not known which way that is."""
    worse: int = 0
    """Cases in which it is worse."""


@dataclass(frozen=True)
class CaseChange:
    """A case with the metric that changed most for the worse in it."""

    case: str
    metric: str
    baseline: float | None
    candidate: float | None
    change: float | None
    """``None``: the candidate has no value."""
    share: float | None
    """How much worse, as a share of the baseline's mean over the cases; ``None``: cannot be said."""
    error: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two sides beside each other."""

    baseline: str
    candidate: str
    level: float
    metrics: list[MetricChange]
    """Over all cases."""
    worst: list[CaseChange]
    """At most five, the worst first. Time and memory count only where nothing else was measured."""
    only_baseline: list[str] = field(default_factory=list)
    """Cases that only the baseline has."""
    only_candidate: list[str] = field(default_factory=list)
    metrics_only_baseline: list[str] = field(default_factory=list)
    metrics_only_candidate: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is not like with like, and what could not be compared."""
    slices: list[MetricChange] = field(default_factory=list)
    """The same metrics, slice by slice, of slices that both sides have."""


def compare(
    baseline: MeasurementSource, candidate: MeasurementSource, *, level: float, policy: Policy | None = None
) -> Comparison:
    """Put two sides beside each other.

    Args:
        baseline: what the change is from.
        candidate: what it is to.
        level: of the intervals.
        policy: says which way is better for metrics that Penstock does not know.

    Raises:
        UsageError: a side has a value twice, or both kinds of value of one metric; no metric is on both sides.
    """
    ours, theirs = Table("candidate", candidate.measurements), Table("baseline", baseline.measurements)
    common = in_order(ours.by_metric.keys() & theirs.by_metric.keys())
    if not common:
        names = (", ".join(in_order(table.by_metric)[:5]) or "nothing" for table in (theirs, ours))
        what = "no metric is on both sides: {} on the first, {} on the second".format(*names)
        raise UsageError(what, where=f"{baseline.name}, {candidate.name}", todo="Measure both with the same metrics.")
    directions = _directions(policy)
    metrics = [change_of(metric, None, ours, theirs, directions.get(base_metric(metric)), level) for metric in common]
    slices = [
        change_of(metric, name, ours, theirs, directions.get(base_metric(metric)), level)
        for name, metric in in_slices(common, ours, theirs)
    ]
    our_cases, their_cases = _cases(candidate), _cases(baseline)
    return Comparison(
        baseline=baseline.name,
        candidate=candidate.name,
        level=level,
        metrics=metrics,
        worst=_worst(metrics, ours, theirs),
        only_baseline=sorted(their_cases - our_cases),
        only_candidate=sorted(our_cases - their_cases),
        metrics_only_baseline=in_order(theirs.by_metric.keys() - ours.by_metric.keys()),
        metrics_only_candidate=in_order(ours.by_metric.keys() - theirs.by_metric.keys()),
        notes=_notes(candidate.run, baseline.run),
        slices=slices,
    )


def _notes(candidate: Run | None, baseline: Run | None) -> list[str]:
    """What the gate would refuse to compare is told here, before what a reader should know besides."""
    if candidate is None or baseline is None:
        return []
    unlike = [f"Not like with like. {found}." for found in differences(candidate, baseline)]
    return unlike + notes(candidate, baseline)


def _directions(policy: Policy | None) -> dict[str, Direction | None]:
    own = {rule.metric: rule.direction for rule in policy.rules if rule.direction is not None} if policy else {}
    return own | directions()


def _cases(source: MeasurementSource) -> set[str]:
    return {found.case for found in source.measurements if found.case != WHOLE_SUITE} | set(source.cases)


def in_slices(metrics: Sequence[str], ours: Table, theirs: Table) -> Iterator[tuple[str, str]]:
    """Slice and metric, of every slice that both sides have, and every metric that says something of it on both."""
    here, there = (set[str]().union(*table.slices.values()) for table in (ours, theirs))
    for name in sorted(here & there):
        for metric in metrics:
            if ours.has_slice(metric, name) and theirs.has_slice(metric, name):
                yield name, metric


def change_of(
    metric: str, slice_name: str | None, ours: Table, theirs: Table, direction: Direction | None, level: float
) -> MetricChange:
    """One metric that both sides have, over all cases or those of one slice (``None``: all).

    What cannot be paired has a note that says why, and no change.
    """
    here, there = ours.values(metric, slice_name), theirs.values(metric, slice_name)
    unit = _unit([*ours.by_metric[metric].values(), *theirs.by_metric[metric].values()])

    def without(note: str) -> MetricChange:
        means = [mean(list(side.by_case.values())) if side.by_case else None for side in (there, here)]
        return MetricChange(metric, unit, direction, means[0], means[1], None, None, 0, note, slice_name)

    extractors = (theirs.extractors(metric), ours.extractors(metric))
    if len(extractors[0] | extractors[1]) > 1:
        words = [" and ".join(sorted(f"{name or 'no extractor'}" for name in found)) or "none" for found in extractors]
        return without(f"not compared: measured through {words[0]}, then through {words[1]}")
    pairs = sorted(here.by_case.keys() & there.by_case.keys())
    if not pairs:
        return without("not compared: no case has a value on both sides")
    before, after = [there.by_case[case] for case in pairs], [here.by_case[case] for case in pairs]
    differences = [new - old for new, old in zip(after, before, strict=True)]
    rounding = ROUNDING * max(abs(value) for value in before)
    if pairs == [WHOLE_SUITE]:
        interval, cases, note = _suite_interval(here, there, differences[0], level, rounding)
    else:
        interval, cases = change_interval(weigh(differences, rounding), "lower", level), len(pairs)
        note = _left_out(here, there)
    better, worse = _wins(differences, direction, rounding)
    return MetricChange(
        metric,
        unit,
        direction,
        mean(before),
        mean(after),
        mean(differences),
        interval,
        cases,
        note,
        slice=slice_name,
        better=better,
        worse=worse,
    )


def _wins(differences: Sequence[float], direction: Direction | None, rounding: float) -> tuple[int, int]:
    """In how many cases the candidate is better, and worse."""
    if direction is None:
        return 0, 0
    sign = 1.0 if direction == "lower" else -1.0
    worse = [sign * difference for difference in differences]
    return sum(value < -rounding for value in worse), sum(value > rounding for value in worse)


def _suite_interval(
    here: Values, there: Values, change: float, level: float, rounding: float
) -> tuple[tuple[float, float] | None, int, str]:
    """Of one value for the whole suite: from its values on the same resamples of the cases."""
    ours, theirs = here.resamples, there.resamples
    if ours is None or theirs is None or ours.key != theirs.key or len(ours.values) != len(theirs.values):
        return None, 1, "one value for all of these cases; no interval: the two have no resamples of the same cases"
    resampled = [new - old for new, old in zip(ours.values, theirs.values, strict=True)]
    if len(resampled) < 2:
        return None, ours.cases, "too few resamples"
    return change_interval(weigh_resamples(change, resampled, ours.cases, rounding), "lower", level), ours.cases, ""


def _left_out(here: Values, there: Values) -> str:
    """Cases that could not be paired, and why."""
    parts = []
    for side, lost in (("baseline", there.lost), ("candidate", here.lost)):
        if lost:
            parts.append(f"no value in the {side} for {named(lost)}")
    for side, only in (("baseline", there.cases - here.cases), ("candidate", here.cases - there.cases)):
        if only:
            parts.append(f"only the {side} has {named(dict.fromkeys(only, ''))}")
    return "; ".join(parts)


def _unit(found: Sequence[Measurement]) -> str:
    known = find_metric(found[0].metric)
    return known.unit if known else next((entry.unit for entry in found if entry.unit), "")


def _worst(metrics: Sequence[MetricChange], ours: Table, theirs: Table) -> list[CaseChange]:
    """The cases whose worst metric worsened most, as a share of the baseline's mean."""
    compared = [
        change for change in metrics if change.change is not None and WHOLE_SUITE not in ours.by_metric[change.metric]
    ]
    ranked = [change for change in compared if change.direction is not None]
    telling = [change for change in ranked if not is_timed(change.metric)] or ranked
    worst: dict[str, CaseChange] = {}
    for metric in telling:
        for found in _case_changes(metric, ours.values(metric.metric, None), theirs.values(metric.metric, None)):
            if found.case not in worst or _badness(found) > _badness(worst[found.case]):
                worst[found.case] = found
    bad = [found for found in worst.values() if _badness(found) > 0]
    return sorted(bad, key=lambda found: (-_badness(found), found.case))[:WORST]


def _case_changes(metric: MetricChange, here: Values, there: Values) -> list[CaseChange]:
    pairs = here.by_case.keys() & there.by_case.keys()
    scale = abs(metric.baseline or 0.0) or max(abs(here.by_case[case] - there.by_case[case]) for case in pairs) or 1.0
    sign = 1.0 if metric.direction == "lower" else -1.0
    found = []
    for case in pairs:
        change = here.by_case[case] - there.by_case[case]
        values = (there.by_case[case], here.by_case[case])
        share = sign * change / scale
        found.append(CaseChange(case, metric.metric, *values, change, share if math.isfinite(share) else None))
    for case in here.lost.keys() & there.by_case.keys():
        lost = here.lost[case]
        found.append(CaseChange(case, metric.metric, there.by_case[case], None, None, None, error=lost))
    return found


def _badness(found: CaseChange) -> float:
    return math.inf if found.share is None else found.share
