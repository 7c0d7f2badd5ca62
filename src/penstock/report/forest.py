"""A metric's change, drawn against what a rule allows, if there is one: zero, margin, interval, point. Worse right."""

from __future__ import annotations

import math
from dataclasses import dataclass

from penstock.bundle.verdict_record import RuleResult
from penstock.contract.policy import Direction

WIDTH = 200.0
"""Of the drawing, in its own units."""
ROOM = 0.08
"""Of the width, on either side of what is drawn."""


@dataclass(frozen=True)
class Forest:
    """Where things lie, 0 to :data:`WIDTH`; ``None`` is not drawn."""

    zero: float
    point: float
    low: float | None
    high: float | None
    margin: float | None
    bound: float | None
    """Where the change would break an absolute bound."""
    words: str
    """The same for who does not see it."""


def forest(rule: RuleResult) -> Forest | None:
    """The drawing of a rule; ``None`` if there is no change, or nothing says which way is worse."""
    limit = rule.maximum if rule.better == "lower" else rule.minimum
    beyond = limit - rule.baseline if limit is not None and rule.baseline is not None else None
    return drawing(rule.change, rule.interval, rule.better, margin=rule.margin, beyond=beyond)


def drawing(
    change: float | None,
    interval: tuple[float, float] | None,
    better: Direction | None,
    *,
    margin: float | None = None,
    beyond: float | None = None,
) -> Forest | None:
    """The drawing of a change; ``None`` if there is none, or nothing says which way is worse.

    Args:
        change: candidate minus baseline.
        interval: its bounds.
        better: which way is better.
        margin: how much worse is allowed, at least 0.
        beyond: the change that would break an absolute bound.
    """
    if change is None or better is None or not math.isfinite(change):
        return None
    worse = 1.0 if better == "lower" else -1.0
    ends = sorted(worse * end for end in interval) if interval else []
    bound = worse * beyond if beyond is not None else None
    drawn = [0.0, worse * change, *ends, *([margin] if margin is not None else [])]
    if not all(math.isfinite(value) for value in drawn):
        return None
    if bound is not None:
        # An absolute bound that is far off would press all else into a corner.
        reach = max(abs(value) for value in drawn)
        bound = bound if abs(bound) <= 2 * reach else None
    low, high = min(*drawn, bound or 0.0), max(*drawn, bound or 0.0)
    span = high - low or 1.0

    def at(value: float) -> float:
        return round(WIDTH * (ROOM + (1 - 2 * ROOM) * (value - low) / span), 2)

    words = [f"change {change:+.4g}"]
    if interval:
        words.append(f"interval {interval[0]:+.4g} to {interval[1]:+.4g}")
    if margin is not None:
        words.append(f"allowed {worse * margin:+.4g}")
    return Forest(
        zero=at(0.0),
        point=at(worse * change),
        low=at(ends[0]) if ends else None,
        high=at(ends[1]) if ends else None,
        margin=at(margin) if margin is not None else None,
        bound=at(bound) if bound is not None else None,
        words=", ".join(words),
    )
