"""How large the true value may be, with a confidence: what a maximum with ``confidence`` is compared with."""

from __future__ import annotations

from penstock.bundle.estimates import StandardError, Tail
from penstock.foundation.order_statistics import quantile_rank, upper_rank, values_needed
from penstock.gating.student import quantile


def upper_bound(
    value: float, tail: Tail | None, standard_error: StandardError | None, confidence: float
) -> float | str:
    """The upper bound of a value, or why none is known.

    Of a quantile it is an order statistic, whatever the distribution is: of 100 values, the 99th for 0.95 and 95 %. Of
    a mean it is Student's t.

    Args:
        value: what was measured.
        tail: of a quantile.
        standard_error: of a mean.
        confidence: 0.5 to 0.9999.
    """
    if standard_error is not None:
        if confidence == 0.5:
            return value
        return value + quantile(1 - confidence, standard_error.freedom) * standard_error.error
    if tail is None:
        return "no upper bound of it was measured"
    rank = upper_rank(tail.count, tail.quantile, confidence)
    if rank is None:
        needed = values_needed(tail.quantile, confidence)
        return f"an upper bound needs at least {needed} values, and there are {tail.count}"
    place = max(0, rank - quantile_rank(tail.count, tail.quantile))
    if place >= len(tail.values):
        return "the values that an upper bound is taken from are not there"
    return tail.values[place]
