"""The report's one table: every rule, then every metric that no rule speaks about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from penstock.bundle.models import RuleResult, Verdict, WaiverRecord
from penstock.families.registry import is_stand_in, known_metrics
from penstock.report.cases import Number, means, number, ordered, shown, signed, suite_numbers
from penstock.report.forest import Forest, forest
from penstock.report.run_records import Side
from penstock.report.summary import rule_state, rule_title
from penstock.report.trend import Past, Trend, trend

ORDER = ("fail", "inconclusive", "waived", "advisory", "warning", "not-compared", "bounds-only", "pass")
"""Of the states: what stops a release first."""


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
    """One of :data:`ORDER`; empty: no rule speaks about it."""
    reason: str
    """As the verdict has it."""
    brief: str
    """Without the name that it begins with, and what the page says apart: to stand beside the name."""
    meaning: str = ""
    """What the metric means, in a sentence."""
    stand_in: bool = False
    """Its numbers are those of a stand-in network."""
    needed: int | None = None
    waiver: WaiverRecord | None = None


def metric_rows(candidate: Side, baseline: Side | None, verdict: Verdict, past: Past | None) -> list[MetricRow]:
    """Rules that fell first, in the policy's order otherwise; then the other metrics in the registry's."""
    rules = [_of_rule(number, rule, past) for number, rule in enumerate(verdict.rules, 1)]
    ruled = {rule.metric for rule in verdict.rules if rule.slice is None}
    mean_of = means(candidate.measurements)
    others = [
        _of_metric(entry, mean_of.get(entry.metric), past)
        for entry in suite_numbers(candidate, baseline)
        if entry.metric not in ruled
    ]
    return sorted(rules, key=lambda row: ORDER.index(row.state)) + others


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
        limit=rule.limit,
        trend=trend(past, rule.metric, rule.slice, rule.candidate) if past else None,
        n=rule.n,
        state=state,
        reason=rule.reason,
        brief="" if state == "not-compared" else rule.predicate or rule.reason,
        meaning=meaning_of(rule.metric),
        stand_in=is_stand_in(rule.extractor),
        needed=rule.needed,
        waiver=rule.waiver,
    )


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
    return known_metrics()[metric].meaning if metric in known_metrics() else ""


def glossary(measured: Iterable[str]) -> list[tuple[str, str]]:
    """Title and meaning of each metric that Penstock knows, in the registry's order."""
    return [
        (known_metrics()[name].title, known_metrics()[name].meaning)
        for name in ordered(set(measured))
        if name in known_metrics()
    ]


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
