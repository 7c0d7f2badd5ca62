"""The one place where differences become a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.bundle.models import Outcome
from penstock.contract.policy import Direction

ROUNDING = 1e-12
"""What floating point may add to a value, as a share of it."""


@dataclass(frozen=True)
class Decision:
    """Whether a change stays within its margin."""

    verdict: Outcome
    change: float
    """Mean of the differences, candidate minus baseline."""
    interval: tuple[float, float] | None
    """Confidence interval of the change; ``None``: none was computed."""


def decide(
    differences: Sequence[float],
    margin: float,
    direction: Direction,
    level: float,  # noqa: ARG001 (an interval will be taken at this level)
    *,
    rounding: float = 0.0,
) -> Decision:
    """Hold the mean difference against the margin.

    Args:
        differences: candidate minus baseline, one a case, at least one.
        margin: how much worse the mean may be, at least 0, in the metric's unit.
        direction: which way is better.
        level: the share of unchanged models that may be stopped.
        rounding: a difference this small is none, in the metric's unit. It must not depend on the candidate, so that a
            worse one is never let through.
    """
    change = mean(differences)
    worsening = change if direction == "lower" else -change
    return Decision("pass" if worsening <= margin + rounding else "fail", change, None)


def mean(values: Sequence[float]) -> float:
    """The mean, the same for every order of the values."""
    return math.fsum(values) / len(values)
