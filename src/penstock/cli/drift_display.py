"""How ``penstock watch --scheduled`` shows what moved: some lines, or JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.foundation.errors import ExitCode, printable

if TYPE_CHECKING:
    from penstock.bundle.drift_record import DriftRecord

MARKS = {"same": "✓", "moved": "✗", "open": "?", "not run": "–"}
CODES = {"same": ExitCode.OK, "values": ExitCode.REJECTED, "conditions": ExitCode.INCONCLUSIVE}


def drift_exit_code(drift: DriftRecord) -> int:
    """0: nothing moved; 1: values did; 3: something else did, or a rule has to be looked at."""
    return int(CODES[drift.outcome])


def drift_lines(drift: DriftRecord) -> list[str]:
    """For people, line by line."""
    from penstock.notices.drift_notice import condition_words, moved_kinds, movement_words

    kinds = f" ({', '.join(moved_kinds(drift))})" if drift.conditions else ""
    heads = {
        "same": "nothing moved",
        "conditions": f"no value is known to have moved; look at what did{kinds}",
        "values": f"values moved{kinds}",
    }
    lines = [f"{drift.model} {drift.version}: {heads[drift.outcome]}"]
    lines += [f"! {condition_words(condition)}" for condition in drift.conditions]
    lines += [f"{MARKS[rule.state]} {movement_words(rule)}" for rule in drift.rules]
    if drift.answers:
        lines.append(f"{drift.answers_same} of {drift.answers} answers are the same byte by byte")
    if drift.not_known:
        lines.append(f"not recorded both times, so not compared: {', '.join(drift.not_known)}")
    return [printable(line).replace("\n", " ") for line in lines]
