"""Durations as Argo Rollouts writes them: ``90``, ``90s``, ``1h30m``."""

from __future__ import annotations

import re

UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{0,12})?)(ms|us|µs|ns|h|m|s)", re.ASCII)


def seconds_of(said: object) -> float:
    """The seconds of a duration; infinity for what is none, such as an argument that is filled in later.

    Args:
        said: a number of seconds, or text as Go writes it.
    """
    if isinstance(said, bool):
        return float("inf")
    if isinstance(said, int | float):
        return float(said) if said >= 0 else float("inf")
    text = str(said)
    if text.isascii() and text.isdecimal() and len(text) <= 12:
        return float(text)
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return float("inf")
    return sum(float(number) * UNITS[unit] for number, unit in parts)
