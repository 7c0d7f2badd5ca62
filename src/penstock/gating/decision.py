"""The one place where differences become a decision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from penstock.bundle.verdict_record import Outcome
from penstock.contract.policy import Direction
from penstock.gating.evidence import Evidence, weigh

ROUNDING = 1e-12
"""What floating point may add to a value, as a share of it."""


@dataclass(frozen=True)
class Decision:
    """Whether a change stays within its margin."""

    verdict: Outcome
    change: float
    """Mean of the differences, candidate minus baseline."""
    interval: tuple[float, float] | None
    """One-sided bounds of the change, each at the level; ``None``: the cases are too few for any."""
    needed: int | None
    """If it is inconclusive: the number of cases that would settle it."""


def decide(
    differences: Sequence[float],
    margin: float,
    direction: Direction,
    level: float,
    *,
    rounding: float = 0.0,
) -> Decision:
    """Compare the mean difference with the margin: paired non-inferiority.

    With L and U the one-sided bounds of the mean worsening at ``level``: ``pass`` if U lies within the margin, ``fail``
    if L lies beyond it, else ``inconclusive``. The bounds come from the bootstrap over cases (20 cases or more), the
    exact sign-flip test (5 to 19) or Student's t (2 to 4); docs/adr/0008 says why and with which error rates.

    Args:
        differences: candidate minus baseline, one a case, at least one.
        margin: how much worse the mean may be, at least 0, in the metric's unit.
        direction: which way is better.
        level: the share of models that are worse by the margin and may pass; and of those within it that may fail.
        rounding: a difference this small is zero, in the metric's unit. It must not depend on the candidate, so that a
            worse one is never let through.
    """
    sign = 1.0 if direction == "lower" else -1.0
    return settle(weigh([sign * value for value in differences], rounding), margin, direction, level, rounding=rounding)


def settle(
    evidence: Evidence,
    margin: float,
    direction: Direction,
    level: float,
    *,
    rounding: float = 0.0,
) -> Decision:
    """The decision that ``evidence`` supports; arguments as for :func:`decide`."""
    verdict: Outcome = "inconclusive"
    if evidence.not_worse_than(margin, rounding) <= level:
        verdict = "pass"
    elif evidence.worse_than(margin, rounding) <= level:
        verdict = "fail"
    needed = evidence.needed(margin, level) if verdict == "inconclusive" else None
    sign = 1.0 if direction == "lower" else -1.0
    return Decision(verdict, sign * evidence.worsening, change_interval(evidence, direction, level), needed)


def change_interval(evidence: Evidence, direction: Direction, level: float) -> tuple[float, float] | None:
    """Bounds of the change, candidate minus baseline; ``None`` where there are none."""
    low, high = evidence.bounds(level)
    if not (math.isfinite(low) and math.isfinite(high)):
        return None
    return (low, high) if direction == "lower" else (-high, -low)


def interval(differences: Sequence[float], level: float) -> tuple[float, float] | None:
    """One-sided bounds of the mean difference, each at ``level``; ``None`` if there are too few cases.

    Args:
        differences: candidate minus baseline, one a case, at least one.
        level: how often each bound may be wrong.
    """
    return change_interval(weigh(differences), "lower", level)


def mean(values: Sequence[float]) -> float:
    """The mean, the same for every order of the values."""
    return math.fsum(values) / len(values)
