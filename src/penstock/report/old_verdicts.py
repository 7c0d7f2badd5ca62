"""Verdicts of schema version 1, completed: what newer ones hold as numbers is read from their text.

There ``verdict.json`` has a rule's bounds as text only (``≤ 9, no more than +5 % over the baseline``). No other module
reads numbers out of sentences.
"""

from __future__ import annotations

import re

from penstock.bundle.directory import Bundle
from penstock.bundle.verdict_record import VERDICT_SCHEMA_VERSION, RuleResult, Verdict
from penstock.families.registry import find_metric
from penstock.gating.wording import needed_words

NUMBER = r"([+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)"
MAXIMUM = re.compile(rf"(?:^|, )≤ {NUMBER}")
MINIMUM = re.compile(rf"(?:^|, )≥ {NUMBER}")
WORST = re.compile(rf"(?:^|, )every case [≤≥] {NUMBER}")
MARGIN = re.compile(rf"no more than {NUMBER}( %| sd)?[^,]*? (over|under) the baseline")
ALLOWED = re.compile(rf"the allowed {NUMBER}(?! %)")
"""In a reason: what so many standard deviations of the noise are in the metric's unit."""


def read_verdict(bundle: Bundle) -> Verdict:
    """The gate's answer, with the numbers of its rules whichever version wrote it.

    Raises:
        UsageError: there is none, or it is broken.
    """
    verdict = bundle.verdict()
    if verdict.schema_version >= VERDICT_SCHEMA_VERSION:
        return verdict
    return verdict.model_copy(update={"rules": [completed(rule) for rule in verdict.rules]})


def completed(rule: RuleResult) -> RuleResult:
    """A rule's answer of schema version 1 with the numbers of its text; what cannot be read stays ``None``."""
    text = rule.limit[:500]
    low, high, worst, allowed = (pattern.search(text) for pattern in (MINIMUM, MAXIMUM, WORST, MARGIN))
    known = find_metric(rule.metric)
    better = known.direction if known else None
    if allowed is not None:
        better = better or ("lower" if allowed[3] == "over" else "higher")
    title = known.title if known else rule.metric
    begins = rule.reason.startswith(f"{title} ")
    predicate = (
        rule.reason.removeprefix(f"{title} ").replace(needed_words(rule.needed, rule.metric), "") if begins else ""
    )
    return rule.model_copy(
        update={
            "minimum": float(low[1]) if low else None,
            "maximum": float(high[1]) if high else None,
            "worst": float(worst[1]) if worst else None,
            "margin": _margin(rule, allowed) if allowed else None,
            "better": better,
            "predicate": predicate,
        }
    )


def _margin(rule: RuleResult, allowed: re.Match[str]) -> float | None:
    amount = abs(float(allowed[1]))
    if allowed[2] == " %":
        return None if rule.baseline is None else amount / 100 * abs(rule.baseline)
    if allowed[2] is None:
        return amount
    noise = ALLOWED.search(rule.reason[:2000])
    return abs(float(noise[1])) if noise else None
