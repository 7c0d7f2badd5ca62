"""From what the network says to how often it is right."""

from __future__ import annotations

import math


def confidence(logit: float, slope: float, shift: float) -> float:
    """0..1; slope and shift were fitted on pictures that the network had not seen, and lie in its file."""
    return 1 / (1 + math.exp(-min(max(slope * logit + shift, -60.0), 60.0)))
