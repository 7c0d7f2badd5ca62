"""Whether memory grows with the requests that are served, and by how much for each thousand."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BLOCKS: Final = 10
STEPS: Final = BLOCKS - 1
MIN_SAMPLES: Final = 10 * BLOCKS
"""With fewer a block's third is too short for the saw-tooth of a garbage collector."""
T_QUANTILE: Final = 2.306
"""Student's t, 97.5 %, of as many degrees of freedom as there are steps between blocks, less one."""


@dataclass(frozen=True)
class Growth:
    """In the unit of what was measured, for each 1,000 requests."""

    per_thousand: float
    interval: tuple[float, float]
    """With 95 % confidence."""


def growth_per_thousand(done: Sequence[float], values: Sequence[float]) -> Growth | None:
    """The growth of a value over the requests that were served until it was read.

    The samples are cut into ten blocks in order, and the median of each block's last third stands for it. The growth
    is the mean of the nine steps from one block to the next; its interval comes from how much they differ. So a leak,
    which grows in every part of a run, is told from a cache that is filled once or an arena that is taken once: a line
    fitted through all samples would call either a leak.

    Args:
        done: how many requests had been served, for each sample; not falling.
        values: what was read, such as bytes.

    Returns:
        ``None`` if there are under 100 samples, or a block in which no request was served.
    """
    count = len(values)
    if count < MIN_SAMPLES:
        return None
    edges = [round(block * count / BLOCKS) for block in range(BLOCKS + 1)]
    # where memory wanders, steps between the medians of whole blocks would depend on each other
    thirds = [slice(end - (end - begin) // 3, end) for begin, end in itertools.pairwise(edges)]
    blocks = [(statistics.fmean(done[third]), statistics.median(values[third])) for third in thirds]
    steps = []
    for (served, value), (served_then, value_then) in itertools.pairwise(blocks):
        if served_then <= served:
            return None
        steps.append(1000 * (value_then - value) / (served_then - served))
    mean = statistics.fmean(steps)
    half = T_QUANTILE * statistics.stdev(steps) / math.sqrt(len(steps))
    return Growth(mean, (mean - half, mean + half))
