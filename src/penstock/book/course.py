"""A metric's course over the releases of a model: its value, its interval, and what the rule allowed, drawn.

All of it stands in the releases' verdicts, so that no measurement is read again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from penstock.bundle.verdict_record import RuleResult, Verdict
from penstock.families.registry import find_metric, is_stand_in
from penstock.report.cases import shown
from penstock.report.summary import rule_title

WIDTH, HEIGHT = 600.0, 150.0
EDGE_X, EDGE_Y = 24.0, 14.0
FAR = 3.0
"""A bound that lies farther off than so many times what the values span is said, not drawn: it would flatten them."""


@dataclass(frozen=True)
class CourseMark:
    """One release on the drawing; y grows downwards."""

    x: float
    y: float
    low: float | None
    """Where its interval ends: below,"""
    high: float | None
    """and above."""
    limit: float | None
    """Where the margin over the release that it was compared with ends."""
    run_id: str
    words: str


@dataclass(frozen=True)
class Course:
    """One rule's metric over the releases, the oldest on the left."""

    title: str
    unit: str
    better: str
    """``lower``, ``higher`` or empty."""
    lines: list[str]
    """Each a ``points`` attribute: broken where a release has no value, or was measured through another network."""
    marks: list[CourseMark]
    bounds: list[tuple[float, str]]
    """Absolute bounds: where, and what they say."""
    gaps: list[float]
    top: str
    bottom: str
    stand_in: bool
    step: float
    """Half of the room that each release has: how wide the margin is drawn."""


def courses(releases: Sequence[tuple[str, str, Verdict | None]]) -> list[Course]:
    """One for each metric and slice that a rule of the newest release looks at, in its order.

    Args:
        releases: version, run id and verdict of each, the oldest first; without a verdict it is a gap.
    """
    newest = next((verdict for _, _, verdict in reversed(releases) if verdict is not None), None)
    if newest is None:
        return []
    wanted = dict.fromkeys((rule.metric, rule.slice) for rule in newest.rules)
    drawn = [_course([(*release[:2], _rule(release[2], *which)) for release in releases]) for which in wanted]
    return [course for course in drawn if course is not None]


def _rule(verdict: Verdict | None, metric: str, slice_name: str | None) -> RuleResult | None:
    rules = verdict.rules if verdict else []
    found = [rule for rule in rules if (rule.metric, rule.slice) == (metric, slice_name)]
    return next((rule for rule in found if _is_number(rule.candidate)), None)


def _course(releases: Sequence[tuple[str, str, RuleResult | None]]) -> Course | None:
    rules = [rule for _, _, rule in releases if rule is not None]
    if not rules:
        return None
    last = rules[-1]
    values = [value for rule in rules for value in (*_ends(rule), _limit(rule), rule.candidate) if _is_number(value)]
    low, high = min(values), max(values)
    bounds = [bound for bound in (last.minimum, last.maximum) if _is_number(bound)]
    near = [bound for bound in bounds if low - FAR * (high - low) <= bound <= high + FAR * (high - low)]
    low, high = min(low, *near, low), max(high, *near, high)
    span = (high - low) or abs(high) or 1.0
    step = (WIDTH - 2 * EDGE_X) / max(1, len(releases) - 1)

    def y(value: float) -> float:
        middle = HEIGHT / 2 if high == low else HEIGHT - EDGE_Y - (HEIGHT - 2 * EDGE_Y) * (value - low) / span
        return round(middle, 1)

    marks: list[CourseMark] = []
    gaps: list[float] = []
    pieces: list[list[CourseMark]] = [[]]
    through: str | None = None
    for place, (version, run_id, rule) in enumerate(releases):
        x = round(EDGE_X + place * step if len(releases) > 1 else WIDTH / 2, 1)
        if rule is None or rule.candidate is None:
            gaps.append(x)
            pieces.append([])
            continue
        ends, limit = _ends(rule), _limit(rule)
        mark = CourseMark(
            x=x,
            y=y(rule.candidate),
            low=y(ends[0]) if ends else None,
            high=y(ends[1]) if ends else None,
            limit=y(limit) if limit is not None else None,
            run_id=run_id,
            words=_words(version, rule),
        )
        if marks and rule.extractor != through:
            pieces.append([])
        through = rule.extractor
        marks.append(mark)
        pieces[-1].append(mark)
    known = find_metric(last.metric)
    return Course(
        title=rule_title(last),
        unit=known.unit if known else "",
        better=last.better or "",
        lines=[" ".join(f"{mark.x},{mark.y}" for mark in piece) for piece in pieces if len(piece) > 1],
        marks=marks,
        bounds=[(y(bound), shown(last.metric, bound)) for bound in near],
        gaps=gaps,
        top=shown(last.metric, high),
        bottom=shown(last.metric, low),
        stand_in=is_stand_in(last.extractor),
        step=round(min(step / 2, 16.0), 1),
    )


def _ends(rule: RuleResult) -> tuple[float, ...]:
    """The interval of the value: that of its change, from where the baseline was."""
    if rule.interval is None or not _is_number(rule.baseline) or not all(_is_number(end) for end in rule.interval):
        return ()
    return (rule.baseline + rule.interval[0], rule.baseline + rule.interval[1])


def _limit(rule: RuleResult) -> float | None:
    """The worst mean that the margin allowed."""
    if not _is_number(rule.baseline) or not _is_number(rule.margin) or rule.better is None:
        return None
    return rule.baseline + (rule.margin if rule.better == "lower" else -rule.margin)


def _words(version: str, rule: RuleResult) -> str:
    words = [f"{version}: {shown(rule.metric, rule.candidate)}"]
    if ends := _ends(rule):
        words.append(f"interval {shown(rule.metric, ends[0])} to {shown(rule.metric, ends[1])}")
    if (limit := _limit(rule)) is not None:
        words.append(
            f"allowed up to {shown(rule.metric, limit)}"
            if rule.better == "lower"
            else f"allowed down to {shown(rule.metric, limit)}"
        )
    return ", ".join(words)


def _is_number(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)
