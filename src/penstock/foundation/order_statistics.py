"""Quantiles of a sample and how sure they are, by ranks alone: whatever the distribution is.

Of ``n`` independent values, the number below the true quantile ``q`` is binomial (n, q). So the ``r``-th smallest is an
upper bound of the quantile with confidence P(B ≤ r − 1), exactly. That needs independence: values that one stall has
made late together are fewer than they seem, and the true interval is wider.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Final

_FAR: Final = 12.0
"""So many standard deviations from the mean a binomial's probability is nothing."""


def quantile_rank(n: int, q: float) -> int:
    """The rank (from 1) of the smallest value that at least a share ``q`` of all is at most as large as."""
    return max(1, math.ceil(q * n - 1e-9))


def upper_rank(n: int, q: float, confidence: float) -> int | None:
    """The smallest rank whose value is at least the true quantile, with this confidence.

    ``None`` where ``n`` values cannot say so. Of 100 values, 0.95 and 95 %: the 99th.
    """
    first, cumulated = _cumulated(n, q)
    for index, probability in enumerate(cumulated):
        if probability >= confidence:
            rank = first + index + 1
            return rank if rank <= n else None
    return None


def lower_rank(n: int, q: float, confidence: float) -> int | None:
    """The largest rank whose value is at most the true quantile, with this confidence; ``None`` as above."""
    first, cumulated = _cumulated(n, q)
    below = [first + index + 1 for index, probability in enumerate(cumulated) if probability <= 1 - confidence]
    rank = below[-1] if below else first
    return rank if rank >= 1 else None


def interval_ranks(n: int, q: float, confidence: float) -> tuple[int | None, int | None]:
    """The ranks between which the true quantile lies, with this confidence in all and half of the rest on each side.

    Of 100 values, 0.95 and 95 %: 90 and 100.
    """
    one_sided = (1 + confidence) / 2
    return lower_rank(n, q, one_sided), upper_rank(n, q, one_sided)


def values_needed(q: float, confidence: float) -> int:
    """How many values an upper bound of the quantile needs at least: 59 for 0.95 and 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log(q) - 1e-9)


def _cumulated(n: int, q: float) -> tuple[int, list[float]]:
    """P(B ≤ k) of a binomial (n, q) for k = first, first + 1, …, and that first."""
    mean, deviation = n * q, math.sqrt(n * q * (1 - q))
    first = max(0, math.floor(mean - _FAR * deviation) - 1)
    last = min(n, math.ceil(mean + _FAR * deviation) + 1)
    whole = math.lgamma(n + 1)
    log_q, log_rest = math.log(q), math.log1p(-q)
    return first, list(
        accumulate(
            math.exp(whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_q + (n - k) * log_rest)
            for k in range(first, last + 1)
        )
    )
