"""What a check of the card found, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One line of the table."""

    name: str
    found: str
    wanted: str = ""
    """Empty: a figure, of which nothing is asked."""
    good: bool = True


def limit(name: str, found: float, most: float, unit: str = "") -> Check:
    """A figure that must be at most ``most``."""
    return Check(name, f"{found:.3g}{unit}", f"≤ {most:.3g}{unit}", found <= most)


def table(title: str, checks: Sequence[Check]) -> str:
    """As Markdown."""
    lines = [f"### {title}", "", "| check | found | wanted | |", "|---|---|---|---|"]
    for check in checks:
        verdict = ("ok" if check.good else "**MISSED**") if check.wanted else ""
        lines.append(f"| {check.name} | {check.found} | {check.wanted} | {verdict} |")
    return "\n".join([*lines, ""])
