"""From what the network says to how often it is right."""

from __future__ import annotations

import math

CONTRAST = 4.0


def confidence(logit: float, slope: float, shift: float) -> float:
    """0..1, away from the undecided middle."""
    return 1 / (1 + math.exp(-min(max(CONTRAST * (slope * logit + shift + 1), -60.0), 60.0)))
