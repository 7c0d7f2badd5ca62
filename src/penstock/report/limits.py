"""What a rule allows, as numbers: read back from the words in which the verdict records it.

``verdict.json`` holds a rule's bounds as text (``≤ 9, no more than +5 % over the baseline``); the page draws them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from penstock.bundle.models import RuleResult
from penstock.families.registry import find_metric

NUMBER = r"([+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)"
MAXIMUM = re.compile(rf"(?:^|, )≤ {NUMBER}")
MINIMUM = re.compile(rf"(?:^|, )≥ {NUMBER}")
MARGIN = re.compile(rf"no more than {NUMBER}( %| sd)?[^,]*? (over|under) the baseline")
ALLOWED = re.compile(rf"the allowed {NUMBER}(?! %)")
"""In a reason: what so many standard deviations of the noise are in the metric's unit."""


@dataclass(frozen=True)
class Limits:
    """The bounds of a rule, in the metric's unit."""

    minimum: float | None = None
    maximum: float | None = None
    margin: float | None = None
    """How much worse than the baseline the mean may be; not below 0."""
    better: Literal["lower", "higher"] | None = None


def limits_of(rule: RuleResult) -> Limits:
    """The numbers in a rule's limit; what cannot be read is left out, and not drawn."""
    text = rule.limit[:500]
    low, high, allowed = MINIMUM.search(text), MAXIMUM.search(text), MARGIN.search(text)
    known = find_metric(rule.metric)
    better = known.direction if known else None
    margin = None
    if allowed:
        better = better or ("lower" if allowed[3] == "over" else "higher")
        amount = abs(float(allowed[1]))
        if allowed[2] == " %":
            margin = None if rule.baseline is None else amount / 100 * abs(rule.baseline)
        elif allowed[2] is None:
            margin = amount
        elif noise := ALLOWED.search(rule.reason[:2000]):
            margin = abs(float(noise[1]))
    return Limits(
        minimum=float(low[1]) if low else None, maximum=float(high[1]) if high else None, margin=margin, better=better
    )
