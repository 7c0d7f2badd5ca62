"""What people are told of a released model that was run again: what moved, against its own record."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.bundle.drift_record import DriftRecord, MovedCondition, RuleMovement
from penstock.notices.notice import Notice, NoticeLink, Tone

KINDS = {
    "driver": "driver",
    "card": "card",
    "data": "data",
    "network": "networks",
    "parameter": "parameters",
    "software": "software",
    "machine": "machine",
    "export": "exported file",
}
"""Kind of a condition → its word in the first line, in this order."""


def drift_notice(drift: DriftRecord, links: Sequence[NoticeLink] = ()) -> Notice | None:
    """The message about what moved; ``None``: nothing did, and nobody is told."""
    if drift.outcome == "same":
        return None
    moved = [rule for rule in drift.rules if rule.state == "moved"]
    looked_at = [rule for rule in drift.rules if rule.state == "open"]
    values = drift.outcome == "values"
    causes = moved_kinds(drift)
    if values:
        why = f"{movement_words(moved[0])}. The release and its record stay as they are. "
        why += "Candidates are compared with the record: bring back what was there, or release again under what is."
    elif causes:
        why = f"{condition_words(drift.conditions[0])}. Nothing to do yet; look before the next release."
    else:
        why = f"{movement_words(looked_at[0])}. Look at it: the cases are too few to tell."
    details = [*map(condition_words, drift.conditions), *map(movement_words, [*moved, *looked_at])]
    if drift.current is not None:
        details.insert(0, f"By now {drift.model} {drift.current} is the current release.")
    tone: Tone = "failure" if values else "warning"
    return Notice(what=drift_headline(drift), why=why, links=tuple(links), details=tuple(details), tone=tone)


def drift_headline(drift: DriftRecord) -> str:
    """What moved, in one line: ``sonic-lite 1.0.0: its values moved; driver moved, too``."""
    causes = " and ".join(moved_kinds(drift))
    if drift.outcome == "same":
        said = "nothing moved"
    elif drift.outcome == "values":
        said = f"its values moved{f'; {causes} moved, too' if causes else ''}"
    else:
        said = f"no value is known to have moved{f'; {causes} moved' if causes else ''}"
    return f"{drift.model} {drift.version}: {said}"


def moved_kinds(drift: DriftRecord) -> list[str]:
    """``driver``, ``card``, ``data`` and so on, each once."""
    there = {condition.kind for condition in drift.conditions}
    return [word for kind, word in KINDS.items() if kind in there]


def condition_words(condition: MovedCondition) -> str:
    """One line."""
    return f"{condition.what}: {condition.then} → {condition.now}"


def movement_words(rule: RuleMovement) -> str:
    """One line: the metric, then and now, with the interval of the change."""
    name = f"{rule.metric} ({rule.slice})" if rule.slice else rule.metric
    if rule.change is None or rule.then is None or rule.now is None:
        return f"{name}: {rule.note}"
    unit = f" {rule.unit}" if rule.unit else ""
    text = f"{name}: {rule.then:.6g} → {rule.now:.6g}{unit}"
    if rule.interval is not None:
        text += f", change {rule.change:+.3g} ({rule.interval[0]:+.3g} … {rule.interval[1]:+.3g})"
    return f"{text}; {rule.note}" if rule.note else text
