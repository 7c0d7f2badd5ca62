"""Student's t and the normal distribution, without a statistics package: the gate asks for few degrees of freedom."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

NORMAL = NormalDist()


def distribution(t: float, freedom: int | None) -> float:
    """P(T ≤ t) of Student's t; of the normal distribution for ``freedom=None``.

    The finite series for whole degrees of freedom: Abramowitz and Stegun, 26.7.3 and 26.7.4.
    """
    if freedom is None:
        return NORMAL.cdf(t)
    if math.isinf(t):
        return float(t > 0)
    angle = math.atan2(t, math.sqrt(freedom))
    cosine = math.cos(angle)
    odd = freedom % 2
    term = total = cosine if odd else 1.0
    for step in range(3 if odd else 2, freedom, 2):
        term *= cosine**2 * (step - 1) / step
        total += term
    if not odd:
        return (1 + math.sin(angle) * total) / 2
    both = angle + (math.sin(angle) * total if freedom > 1 else 0.0)
    return 0.5 + both / math.pi


@lru_cache(maxsize=4096)
def quantile(level: float, freedom: int | None) -> float:
    """The t that is exceeded with probability ``level`` (0 < level < 0.5)."""
    normal = -NORMAL.inv_cdf(level)
    if freedom is None:
        return normal
    low = high = normal
    while 1 - distribution(high, freedom) > level:
        low, high = high, 2 * high + 1
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if 1 - distribution(middle, freedom) > level:
            low = middle
        else:
            high = middle
    return high
