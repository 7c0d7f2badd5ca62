"""What the cases say about how much worse a metric became: p-values and bounds of the mean worsening."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from penstock.gating.student import NORMAL, distribution, quantile

if TYPE_CHECKING:
    from penstock.gating.resampling import Values

BOOTSTRAP_CASES = 20
"""From so many cases on, the bootstrap; below, sign flips."""
FLIP_CASES = 5
"""Below, no sign-flip test can reach the level 0.05: Student's t."""
POWER = 0.8
"""With the cases that ``needed`` asks for, a change as it was seen is settled this often."""


class Evidence(Protocol):
    """How much worse the mean became, and how sure that is.

    Each p-value is of a one-sided test: at most the level where the bound at that level lies on the side of the claim.
    """

    @property
    def worsening(self) -> float:
        """Of the mean, in the metric's unit; above 0 is worse."""

    @property
    def cases(self) -> int:
        """How many there are."""

    @property
    def method(self) -> str:
        """Which test it is."""

    @property
    def deviation(self) -> float | None:
        """Standard deviation of one case's difference: √cases standard errors; ``None``: one case shows none."""

    def not_worse_than(self, amount: float, rounding: float) -> float:
        """P-value against "the mean worsening is ``amount`` or more": small says that it is less."""

    def worse_than(self, amount: float, rounding: float) -> float:
        """P-value against "the mean worsening is ``amount`` or less": small says that it is more."""

    def bounds(self, level: float) -> tuple[float, float]:
        """One-sided lower and upper bound of the mean worsening, each wrong with probability ``level``."""

    def needed(self, amount: float, level: float) -> int | None:
        """The number of cases that would settle whether it is more than ``amount``; ``None``: cannot be said."""


@dataclass(frozen=True)
class Exact:
    """All differences are the same: there is no noise, and the mean is what it is. At the amount is not beyond it."""

    worsening: float
    cases: int
    method: str = "no variance"
    deviation: float = 0.0

    def not_worse_than(self, amount: float, rounding: float) -> float:
        return 0.0 if self.worsening <= amount + rounding else 1.0

    def worse_than(self, amount: float, rounding: float) -> float:
        return 1.0 if self.worsening <= amount + rounding else 0.0

    def bounds(self, level: float) -> tuple[float, float]:  # noqa: ARG002 (the same at every level)
        return self.worsening, self.worsening

    def needed(self, amount: float, level: float) -> int | None:  # noqa: ARG002
        return None


@dataclass(frozen=True)
class MeanWithError:
    """A mean with its standard error: from the bootstrap (normal quantiles), or from few values (Student's t)."""

    worsening: float
    cases: int
    error: float
    freedom: int | None
    method: str

    @property
    def deviation(self) -> float:
        return self.error * math.sqrt(self.cases)

    def not_worse_than(self, amount: float, rounding: float) -> float:
        return distribution((self.worsening - amount + rounding) / self.error, self.freedom)

    def worse_than(self, amount: float, rounding: float) -> float:
        return distribution((amount + rounding - self.worsening) / self.error, self.freedom)

    def bounds(self, level: float) -> tuple[float, float]:
        reach = quantile(level, self.freedom) * self.error
        return self.worsening - reach, self.worsening + reach

    def needed(self, amount: float, level: float) -> int | None:
        return cases_needed(self.deviation, self.worsening - amount, level, self.cases)


@dataclass(frozen=True)
class Flips:
    """The exact sign-flip permutation test for few cases. Ties count against every claim."""

    worsening: float
    cases: int
    deviation: float
    means: Values
    """Means of all subsets of the cases, ascending."""
    method: str = "sign flips"

    def not_worse_than(self, amount: float, rounding: float) -> float:
        below = int(self.means.searchsorted(amount - rounding, side="left"))
        return (len(self.means) - below + 1) / (len(self.means) + 1)

    def worse_than(self, amount: float, rounding: float) -> float:
        return (int(self.means.searchsorted(amount + rounding, side="right")) + 1) / (len(self.means) + 1)

    def bounds(self, level: float) -> tuple[float, float]:
        place = math.floor(level * (len(self.means) + 1))
        if place == 0:
            return -math.inf, math.inf
        return float(self.means[place - 1]), float(self.means[-place])

    def needed(self, amount: float, level: float) -> int | None:
        return cases_needed(self.deviation, self.worsening - amount, level, self.cases)


@dataclass(frozen=True)
class Single:
    """One case that changed: it cannot be told from noise."""

    worsening: float
    cases: int = 1
    method: str = "one case"
    deviation: None = None

    def not_worse_than(self, amount: float, rounding: float) -> float:  # noqa: ARG002
        return 1.0

    def worse_than(self, amount: float, rounding: float) -> float:  # noqa: ARG002
        return 1.0

    def bounds(self, level: float) -> tuple[float, float]:  # noqa: ARG002
        return -math.inf, math.inf

    def needed(self, amount: float, level: float) -> int | None:  # noqa: ARG002
        return FLIP_CASES


def weigh(worsenings: Sequence[float], rounding: float = 0.0) -> Evidence:
    """Evidence from paired cases.

    Args:
        worsenings: how much worse each case became, at least one; above 0 is worse.
        rounding: differences that are this small count as zero.
    """
    count, mean = len(worsenings), math.fsum(worsenings) / len(worsenings)
    if max(worsenings) - min(worsenings) <= rounding and (count > 1 or abs(mean) <= rounding):
        return Exact(mean, count)
    if count == 1:
        return Single(mean)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in worsenings) / (count - 1))
    if deviation == 0:  # the differences differ by less than a square can tell
        return Exact(mean, count)
    if count < FLIP_CASES:
        return MeanWithError(mean, count, deviation / math.sqrt(count), count - 1, "Student's t")
    from penstock.gating.resampling import bootstrap_error, subset_means

    if count < BOOTSTRAP_CASES:
        return Flips(mean, count, deviation, subset_means(worsenings))
    return MeanWithError(mean, count, bootstrap_error(worsenings), None, "bootstrap")


def weigh_resamples(worsening: float, resampled: Sequence[float], cases: int, rounding: float = 0.0) -> Evidence:
    """Evidence about one value of the whole suite, from its values on resamples of the cases.

    Args:
        worsening: of the value itself.
        resampled: of the value on each resample, the same resamples on both sides; at least 2.
        cases: how many cases the resamples were drawn from.
        rounding: differences that are this small count as zero.
    """
    from penstock.gating.resampling import spread

    if max(resampled) - min(resampled) <= rounding:
        return Exact(worsening, cases)
    if cases < 2:
        return Single(worsening)
    error = spread(resampled)
    if cases >= BOOTSTRAP_CASES:
        return MeanWithError(worsening, cases, error, None, "bootstrap by case")
    # So few cases have visibly less spread than those that they stand for, and show it with little certainty.
    return MeanWithError(worsening, cases, error * math.sqrt(cases / (cases - 1)), cases - 1, "bootstrap by case")


def reach(cases: int, level: float) -> float | None:
    """How many standard errors the bound at ``level`` lies above the mean change; ``None``: so few cases have none.

    Sign flips (5 to 19 cases) are taken for Student's t, which they follow closely.
    """
    if cases < 2 or (FLIP_CASES <= cases < BOOTSTRAP_CASES and level * 2**cases < 1):
        return None
    return quantile(level, None if cases >= BOOTSTRAP_CASES else cases - 1)


def margin_factor(level: float, reach: float) -> float:
    """Errors in a margin with which a share ``level`` of unchanged models is not passed.

    Args:
        level: the share.
        reach: how many errors the gate's bound lies above the change.
    """
    return reach - NORMAL.inv_cdf(level)


def cases_needed(deviation: float, distance: float, level: float, cases: int, power: float = POWER) -> int | None:
    """Cases with which a difference that is ``distance`` from the margin is settled at ``level`` with a given power.

    ``((z_level + z_power) · deviation ÷ distance)²``: 2.49 for 80 % at the level 0.05. More than there are, for these
    did not settle it; ``None`` where the mean lies on the margin, or the number says nothing any more.
    """
    if distance == 0:
        return None
    number = ((NORMAL.inv_cdf(1 - level) + NORMAL.inv_cdf(power)) * deviation / abs(distance)) ** 2
    return max(cases + 1, math.ceil(number)) if number < 1e6 else None
