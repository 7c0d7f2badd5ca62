"""The report's one table: every rule, or every change of a comparison, then the metrics that have neither."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from penstock.bundle.verdict_record import RuleResult, Verdict, WaiverRecord
from penstock.families.engine_metrics import base_metric
from penstock.families.registry import find_metric, in_order, is_stand_in
from penstock.gating.compare import MetricChange
from penstock.gating.measured import MetricMean
from penstock.gating.wording import over_words
from penstock.report.cases import Number, means, number, shown, signed, suite_numbers
from penstock.report.forest import Forest, drawing, forest
from penstock.report.run_records import Side
from penstock.report.summary import rule_state, rule_title
from penstock.report.trend import Past, Trend, trend

ORDER = ("fail", "inconclusive", "waived", "advisory", "warning", "not-compared", "bounds-only", "pass")
"""Of the states: what stops a release first."""
CHANGED = "changed"
"""State of a metric that is compared without a rule."""


@dataclass(frozen=True)
class MetricRow:
    """One rule's, or one metric's, line."""

    anchor: str
    name: str
    unit: str
    baseline: str
    candidate: str
    change: str
    interval: str
    forest: Forest | None
    limit: str
    trend: Trend | None
    n: int | None
    state: str
    """One of :data:`ORDER`, or :data:`CHANGED`; empty: it has no rule."""
    reason: str
    """As the verdict has it."""
    brief: str
    """Without the name that it begins with, and what the page says apart: to stand beside the name."""
    meaning: str = ""
    """What the metric means, in a sentence."""
    stand_in: bool = False
    """Its numbers are those of a stand-in network."""
    needed: int | None = None
    over: str = "cases"
    """What its value is taken over."""
    waiver: WaiverRecord | None = None


def metric_rows(candidate: Side, baseline: Side | None, verdict: Verdict, past: Past | None) -> list[MetricRow]:
    """Rules that fell first, in the policy's order otherwise; then the other metrics in the registry's."""
    rules = [_of_rule(number, rule, past) for number, rule in enumerate(verdict.rules, 1)]
    ruled = {rule.metric for rule in verdict.rules if rule.slice is None}
    return sorted(rules, key=lambda row: ORDER.index(row.state)) + _others(candidate, baseline, ruled, past)


def change_rows(
    candidate: Side, baseline: Side | None, changes: Sequence[MetricChange], past: Past | None
) -> list[MetricRow]:
    """The changes of a comparison, in their order; then the other metrics in the registry's."""
    through = {found.metric: found.extractor for found in candidate.measurements if found.value is not None}
    rows = [_of_change(place, found, through.get(found.metric), past) for place, found in enumerate(changes, 1)]
    return rows + _others(candidate, baseline, {found.metric for found in changes}, past)


def mean_rows(candidate: Side, means: Sequence[MetricMean]) -> list[MetricRow]:
    """What was measured of one side, compared with nothing, in its order."""
    through = {found.metric: found.extractor for found in candidate.measurements if found.value is not None}
    return [_of_mean(place, found, through.get(found.metric)) for place, found in enumerate(means, 1)]


def _others(candidate: Side, baseline: Side | None, known: Collection[str], past: Past | None) -> list[MetricRow]:
    mean_of = means(candidate.measurements)
    return [
        _of_metric(entry, mean_of.get(entry.metric), past)
        for entry in suite_numbers(candidate, baseline)
        if entry.metric not in known
    ]


def _of_rule(place: int, rule: RuleResult, past: Past | None) -> MetricRow:
    entry = number(rule.metric, rule.candidate, rule.baseline)
    change = entry.change
    if rule.change is not None and rule.baseline is None:
        change = signed(rule.metric, rule.change)
    state = rule_state(rule)
    return MetricRow(
        anchor=f"rule-{place}",
        name=rule_title(rule),
        unit=entry.unit,
        baseline=entry.baseline,
        candidate=entry.candidate,
        change=change or "–",
        interval=" to ".join(signed(rule.metric, end) for end in rule.interval) if rule.interval else "",
        forest=forest(rule),
        limit=_limit(rule),
        trend=trend(past, rule.metric, rule.slice, rule.candidate) if past else None,
        n=rule.n,
        state=state,
        reason=rule.reason,
        brief="" if state == "not-compared" else rule.predicate or rule.reason,
        meaning=meaning_of(rule.metric),
        stand_in=is_stand_in(rule.extractor),
        needed=rule.needed,
        over=over_words(rule.metric),
        waiver=rule.waiver,
    )


def _limit(rule: RuleResult) -> str:
    """The bounds, and how far apart the references of the cases are, where there are several."""
    if rule.reference_floor is None:
        return rule.limit
    return f"{rule.limit} (the references differ by {shown(rule.metric, rule.reference_floor)})"


def _of_change(place: int, found: MetricChange, extractor: str | None, past: Past | None) -> MetricRow:
    entry = number(found.metric, found.candidate, found.baseline, unit=found.unit, extractor=extractor)
    brief = found.note
    if found.change is not None:
        moved = "stayed at" if found.change == 0 else "rose from" if found.change > 0 else "fell from"
        change = f"{moved} {entry.baseline}" + (f" to {entry.candidate}: {entry.change}" if found.change else "")
        brief = "; ".join(part for part in (change, _wins(found), found.note) if part)
    return MetricRow(
        anchor=f"change-{place}",
        name=in_slice(entry.title, found.slice),
        unit=entry.unit,
        baseline=entry.baseline,
        candidate=entry.candidate,
        change=entry.change if found.change is not None else "–",
        interval=" to ".join(signed(found.metric, end) for end in found.interval) if found.interval else "",
        forest=drawing(found.change, found.interval, found.direction),
        limit="",
        trend=trend(past, found.metric, found.slice, found.candidate) if past else None,
        n=found.n,
        state=CHANGED,
        reason=f"{entry.title} {brief}" if found.change is not None else brief,
        brief=brief,
        meaning=meaning_of(found.metric),
        stand_in=entry.stand_in,
    )


def _wins(found: MetricChange) -> str:
    """In how many cases the candidate is better, and worse."""
    if found.direction is None or found.n < 2 or not (found.better or found.worse):
        return ""
    return f"{found.better} better, {found.worse} worse"


def _of_mean(place: int, found: MetricMean, extractor: str | None) -> MetricRow:
    entry = number(found.metric, found.mean, None, unit=found.unit, extractor=extractor)
    ends = [shown(found.metric, end) for end in found.interval or ()]
    brief = found.note or ", between ".join(filter(None, (entry.candidate, " and ".join(ends))))
    return MetricRow(
        anchor=f"mean-{place}",
        name=in_slice(entry.title, found.slice),
        unit=entry.unit,
        baseline="–",
        candidate=entry.candidate,
        change="–",
        interval=" to ".join(ends),
        forest=None,
        limit="",
        trend=None,
        n=found.n,
        state=CHANGED,
        reason=brief,
        brief=brief,
        meaning=meaning_of(found.metric),
        stand_in=entry.stand_in,
    )


def in_slice(title: str, slice_name: str | None) -> str:
    """``SAD``, ``SAD (hair)``."""
    return title if slice_name is None else f"{title} ({slice_name})"


def _of_metric(entry: Number, mean: float | None, past: Past | None) -> MetricRow:
    return MetricRow(
        anchor="",
        name=entry.title,
        unit=entry.unit,
        baseline=entry.baseline,
        candidate=entry.candidate,
        change=entry.change or "–",
        interval="",
        forest=None,
        limit="",
        trend=trend(past, entry.metric, None, mean) if past else None,
        n=None,
        state="",
        reason="",
        brief="",
        meaning=meaning_of(entry.metric),
        stand_in=entry.stand_in,
    )


def meaning_of(metric: str) -> str:
    """What a metric means, in a sentence; empty for one that Penstock does not know."""
    known = find_metric(metric)
    return known.meaning if known is not None else ""


def glossary(measured: Iterable[str]) -> list[tuple[str, str]]:
    """Title and meaning of each metric that Penstock knows, in the registry's order."""
    found = (find_metric(name) for name in in_order({base_metric(name) for name in measured}))
    return [(known.title, known.meaning) for known in found if known is not None]


@dataclass(frozen=True)
class PastRow:
    """One metric in the table of the last releases."""

    name: str
    values: list[tuple[str, bool]]
    """A release's mean, and whether it is comparable with the candidate's."""
    candidate: str
    stand_in: bool


def past_rows(candidate: Side, past: Past) -> list[PastRow]:
    """Every metric of the candidate, release by release."""
    return [
        PastRow(
            entry.title,
            [(shown(entry.metric, value), comparable) for _, value, comparable in past.values(entry.metric, None)],
            entry.candidate,
            entry.stand_in,
        )
        for entry in suite_numbers(candidate, None)
    ]
