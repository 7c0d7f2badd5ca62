"""The interval of a share."""

from __future__ import annotations

import math

Z95 = 1.959963984540054


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (E. Wilson 1927).

    Args:
        share: from 0 to 1.
        count: of how many, above 0; of pairs that resemble each other, as many as are worth that.

    Example:
        >>> [round(bound, 4) for bound in wilson(0.0, 10)]
        [0.0, 0.2775]
    """
    square = Z95 * Z95
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = Z95 / (1 + square / count) * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    return (0.0 if share == 0.0 else middle - half), (1.0 if share == 1.0 else middle + half)
