"""When requests are due. The times are drawn before the first is sent: no answer has a say in them."""

from __future__ import annotations

import math
import random
from array import array


def constant_arrivals(rate: float, seconds: float) -> array[float]:
    """Seconds from the beginning: 0, 1/rate, 2/rate, …, all below ``seconds``."""
    # the product may be a hair above a whole number: 100 × 0.29 = 28.999…, 3 × 1.1 = 3.3000000000000003
    count = max(1, math.ceil(rate * seconds - 1e-9))
    return array("d", (index / rate for index in range(count)))


def poisson_arrivals(rate: float, seconds: float, seed: int) -> array[float]:
    """Seconds from the beginning, with independent exponential pauses of mean 1/rate; may be empty."""
    draws = random.Random(seed)  # noqa: S311 (arrivals are no secret)
    found = array("d")
    due = draws.expovariate(rate)
    while due < seconds:
        found.append(due)
        due += draws.expovariate(rate)
    return found
