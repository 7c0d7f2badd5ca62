"""Numbers and limits as people read them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.contract.policy import Direction, Margin, Rule
from penstock.families.registry import find_metric

if TYPE_CHECKING:
    from penstock.bundle.verdict_record import RuleResult

MAX_DIGITS = 15
MAX_NAMED = 3
OWN_METRIC_DIGITS = 3


@dataclass(frozen=True)
class Subject:
    """What a rule is about: a known metric, or one of the model's own."""

    title: str
    unit: str
    direction: Direction | None
    digits: int
    over: str = "case"
    """What its value is taken over."""

    def amounts(self, *values: float, signed: bool = False) -> list[str]:
        """Values with the metric's unit, e.g. ``1.25 s``; different values never read the same."""
        unit = f" {self.unit}" if self.unit else ""
        return [text + unit for text in numbers(*values, digits=self.digits, signed=signed)]


def subject_of(rule: Rule) -> Subject:
    """The metric of ``rule``, with the rule's own direction where Penstock does not know one."""
    metric = find_metric(rule.metric)
    if metric is None:
        return Subject(rule.metric, "", rule.direction, OWN_METRIC_DIGITS)
    return Subject(metric.title, metric.unit, metric.direction or rule.direction, metric.digits, metric.over)


@dataclass(frozen=True)
class Sentence:
    """One thing that is said of a rule, about the metric or not: ``LSE-D`` and ``rose from 7.9 to 9.3``."""

    predicate: str
    subject: str = ""
    """The metric's title, if the sentence begins with it."""

    def __str__(self) -> str:
        return f"{self.subject} {self.predicate}" if self.subject else self.predicate


def over_words(metric: str) -> str:
    """What values of a metric are taken over, several of them: ``cases``, of latencies under load ``requests``."""
    known = find_metric(metric)
    return f"{known.over if known is not None else 'case'}s"


def needed_words(needed: int | None, metric: str) -> str:
    """``; about 40 cases would settle it``; empty where no number would."""
    return f"; about {needed} {over_words(metric)} would settle it" if needed is not None else ""


def numbers(*values: float, digits: int, signed: bool = False) -> list[str]:
    """Values with ``digits`` decimals, or as many more as it takes to tell them apart from each other and from zero.

    Trailing zeros are left out. ``signed`` writes the plus as well.
    """
    # What differs by rounding alone may read the same.
    distinct = len({f"{value + 0.0:.9e}" for value in (*values, 0.0)})
    for places in range(digits, MAX_DIGITS + 1):
        texts = [_number(value, places) for value in values]
        if len({*texts, "0"}) == distinct:
            break
    else:
        texts = [f"{value:.10g}" for value in values]
    return [f"+{text}" if signed and not text.startswith("-") else text for text in texts]


def _number(value: float, places: int) -> str:
    if abs(value) >= 1e15:
        return f"{value:.{max(places, 6)}g}"
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def share(change: float, base: float) -> float | None:
    """``change`` as per cent of ``|base|``; ``None`` where that says nothing."""
    per_cent = change / abs(base) * 100 if base else math.inf
    return per_cent if math.isfinite(per_cent) else None


def allowed(margin: Margin, amount: float, subject: Subject) -> float:
    """The margin as a signed number: in per cent if relative, else ``amount``; negative where higher is better."""
    shown = margin.amount * 100 if margin.relative else amount
    return -shown if subject.direction == "higher" else shown


def limit_text(rule: Rule, subject: Subject) -> str:
    """The rule's bounds in words: ``≤ 9, every case ≤ 12, no more than +5 % over the baseline``."""
    unit = f" {subject.unit}" if subject.unit else ""
    parts = [f"{sign} {bound:.12g}{unit}" for sign, bound in (("≥", rule.min), ("≤", rule.max)) if bound is not None]
    if rule.confidence is not None:
        parts[-1] += f" with {rule.confidence * 100:.12g} % confidence"
    over = subject.direction == "lower"
    if rule.worst is not None:
        parts.append(f"every case {'≤' if over else '≥'} {rule.worst:.12g}{unit}")
    if rule.margin is not None:
        amount = f"{'+' if over else '-'}{_margin_text(rule.margin, unit)}"
        parts.append(f"no more than {amount} {'over' if over else 'under'} the baseline")
    return ", ".join(parts)


def _margin_text(margin: Margin, unit: str) -> str:
    if margin.in_unit:
        return f"{margin.amount:.12g}{unit}"
    return f"{as_written(margin)} of the noise" if margin.noise else as_written(margin)


def as_written(margin: Margin) -> str:
    """A margin that is not in the metric's unit: ``5 %``, ``2 sd``, ``1 floor``."""
    if margin.relative:
        return f"{margin.amount * 100:.12g} %"
    if margin.noise:
        return f"{margin.amount:.12g} sd"
    return f"{margin.amount:.12g} floor{'' if margin.amount == 1 else 's'}"


def named(cases: Mapping[str, str]) -> str:
    """``'a' (why), 'b' (why) and 4 more``."""
    shown = [f"'{case}' ({why})" if why else f"'{case}'" for case, why in sorted(cases.items())[:MAX_NAMED]]
    more = len(cases) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def tally(rules: Sequence[RuleResult]) -> str:
    """What became of the rules of a verdict that passes: ``3 rules hold, 2 not compared``."""
    held = [rule for rule in rules if rule.verdict == "pass"]
    broken = [rule for rule in rules if rule.verdict != "pass"]
    waived = sum(rule.waived for rule in broken)
    counts = (
        (sum(rule.not_compared is None for rule in held), "holds", "hold"),
        (
            sum(rule.not_compared == "margin" for rule in held),
            "holds its bounds (margin not compared)",
            "hold their bounds (margins not compared)",
        ),
        (sum(rule.not_compared == "rule" for rule in held), "not compared", "not compared"),
        (len(broken) - waived, "does not hold and only warns", "do not hold and only warn"),
        (waived, "does not hold and is waived", "do not hold and are waived"),
    )
    parts = [(number, one if number == 1 else more) for number, one, more in counts if number]
    words = [f"{number} {text}" for number, text in parts]
    if words:  # the noun stands once, with the first
        number, text = parts[0]
        words[0] = f"{number} rule{'' if number == 1 else 's'} {text}"
    return ", ".join(words)
