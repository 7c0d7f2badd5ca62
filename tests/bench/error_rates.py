"""How often a decision is wrong: noise of many kinds, planted changes, and what is counted.

A *cell* is a kind of noise, a number of cases, and a margin in standard errors of the mean difference. In every cell
the same simulated differences are moved by 0 (the model did not change), half the margin, the margin and two margins.

The noise of two runs of one model, whatever it is, makes symmetric differences: either run may be called the baseline.
Those are held to the limits. Differences that are skewed themselves (a change that hits some cases hard) are
simulated too; no method is known that holds all limits there, and the tables say what happens.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Array]
Decide = Callable[[Sequence[float], float, Any, float], Any]
"""``(differences, margin, direction, level)`` → a verdict, or something that has one as ``.verdict``."""

LEVEL = 0.05
CASES = (8, 12, 20, 50, 100, 200)
SHIFTS = (0.0, 0.5, 1.0, 2.0)
"""Planted changes, in margins."""
ENOUGH_SE = 5.0
"""Standard errors in a margin where there are cases enough."""
FEWER_SE = (2.5, 1.0)
"""The same where there are fewer."""
CASES_FOR_HALF = 20
"""With fewer cases no test that lets the full margin through in at most 7 % need pass half of it in 80 %: with normal
noise and 8 cases the best there is, Student's, does so in 79 %."""
CASES_FOR_SKEW = 20
"""From here on the limits on what is far from the margin hold for skewed differences too."""


def _normal(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    return random.standard_normal(shape)


def _heavy(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    return random.standard_t(3, shape) / math.sqrt(3)


def _lognormal(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = random.lognormal(0, 1, shape)
    return np.asarray((values - math.exp(0.5)) / math.sqrt((math.e - 1) * math.e))


def _exponential(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    return random.exponential(1, shape) - 1


def _zeros(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Seven cases in ten do not move at all."""
    return np.asarray(np.where(random.random(shape) < 0.7, 0, random.standard_normal(shape) / math.sqrt(0.3)))


def _some_cases(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Half of the cases do not move, the other half one way only: exponential, about their common mean."""
    moved = np.where(random.random(shape) < 0.5, 0, random.exponential(1, shape))
    return np.asarray((moved - 0.5) / math.sqrt(0.75))


def _both_sides(draw: Draw) -> Draw:
    """Baseline and candidate each have the noise."""

    def difference(random: np.random.Generator, shape: tuple[int, int]) -> Array:
        return (draw(random, shape) - draw(random, shape)) / math.sqrt(2)

    return difference


def _case_effect(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Baseline and candidate share a large effect of the case, which their noise is proportional to."""
    case = random.lognormal(0, 0.5, shape)
    baseline, candidate = (case * (10 + random.standard_normal(shape)) for _ in range(2))
    return np.asarray((candidate - baseline) / math.sqrt(2 * math.exp(2 * 0.5**2)))


def _whole_numbers(random: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Differences of counts, such as frames of offset: many ties."""
    return (random.poisson(1, shape) - random.poisson(1, shape)) / math.sqrt(2)


def _mirrored(draw: Draw) -> Draw:
    return lambda random, shape: -draw(random, shape)


SYMMETRIC: dict[str, Draw] = {
    "normal": _normal,
    "heavy-tailed (t3)": _heavy,
    "skewed values (lognormal)": _both_sides(_lognormal),
    "skewed values (exponential)": _both_sides(_exponential),
    "some values jump": _both_sides(_some_cases),
    "zero-inflated": _zeros,
    "shared case effect": _case_effect,
    "whole numbers": _whole_numbers,
}
SKEWED: dict[str, Draw] = {
    "lognormal, tail to worse": _lognormal,
    "lognormal, tail to better": _mirrored(_lognormal),
    "exponential, tail to worse": _exponential,
    "exponential, tail to better": _mirrored(_exponential),
    "half the cases move, to worse": _some_cases,
    "half the cases move, to better": _mirrored(_some_cases),
}
NOISES = SYMMETRIC | SKEWED
"""Differences with mean 0 and standard deviation 1; values above 0 are worse."""


@dataclass(frozen=True)
class Cell:
    """What is simulated at once."""

    noise: str
    cases: int
    margin_se: float
    """The margin, in standard errors of the mean difference."""

    @property
    def margin(self) -> float:
        return self.margin_se / math.sqrt(self.cases)


@dataclass(frozen=True)
class Limit:
    """What the rate of one shift must hold."""

    shift: float
    counted: str
    """``passed`` or ``stopped`` (anything but ``pass``)."""
    at_most: float | None = None
    at_least: float | None = None

    def over(self, rate: float) -> float:
        """How far a rate is beyond the limit; at most 0 if it holds."""
        return rate - self.at_most if self.at_most is not None else (self.at_least or 0) - rate


def limits(cell: Cell) -> list[Limit]:
    """What must hold in a cell."""
    full = Limit(1.0, "passed", at_most=0.07)
    far = [Limit(0.0, "stopped", at_most=0.05), Limit(2.0, "stopped", at_least=0.95)]
    if cell.noise in SKEWED:
        return far if cell.margin_se >= ENOUGH_SE and cell.cases >= CASES_FOR_SKEW else []
    if cell.margin_se < ENOUGH_SE:
        return [full]
    half = [Limit(0.5, "passed", at_least=0.80)] if cell.cases >= CASES_FOR_HALF else []
    return [*far, *half, full]


@dataclass(frozen=True)
class Rate:
    """How often one shift passed."""

    cell: Cell
    shift: float
    repetitions: int
    passed: int
    failed: int
    seconds: float

    def counted(self, what: str) -> float:
        """The share that ``passed`` or was ``stopped``."""
        share = self.passed / self.repetitions
        return share if what == "passed" else 1 - share

    @property
    def standard_error(self) -> float:
        """Of either share; never 0, as no count of none proves a rate of 0."""
        share = (self.passed + 1) / (self.repetitions + 2)
        return math.sqrt(share * (1 - share) / self.repetitions)


@dataclass(frozen=True)
class Breach:
    """A rate beyond its limit."""

    rate: Rate
    limit: Limit

    @property
    def errors(self) -> float:
        """By how many standard errors."""
        return self.limit.over(self.rate.counted(self.limit.counted)) / self.rate.standard_error


def cells(noises: Sequence[str] = tuple(NOISES), cases: Sequence[int] = CASES) -> list[Cell]:
    """All cells: every noise and number of cases, a margin of 5 standard errors and, if that has a limit, of fewer."""
    return [
        Cell(noise, count, se)
        for noise in noises
        for count in cases
        for se in ((ENOUGH_SE,) if noise in SKEWED else (ENOUGH_SE, *FEWER_SE))
    ]


def simulate(cell: Cell, decide: Decide, *, repetitions: int, seconds: float = math.inf, seed: int = 1) -> list[Rate]:
    """Count the verdicts in one cell.

    Args:
        cell: what is simulated.
        decide: what decides; a change above 0 is worse (direction ``lower``).
        repetitions: simulated comparisons for each shift.
        seconds: no further repetition is begun after this long; a hundred are always made.
        seed: of the simulation.
    """
    shifts = SHIFTS if cell.margin_se >= ENOUGH_SE else (1.0,)
    name = list(NOISES).index(cell.noise)
    random = np.random.default_rng([seed, name, cell.cases, round(cell.margin_se * 100)])
    draw = NOISES[cell.noise]
    counts = {shift: {"pass": 0, "fail": 0, "inconclusive": 0} for shift in shifts}
    spent = dict.fromkeys(shifts, 0.0)
    done, began = 0, time.perf_counter()
    while done < repetitions and (done < 100 or time.perf_counter() - began < seconds):
        noise = draw(random, (1, cell.cases))[0]
        for shift in shifts:
            clock = time.perf_counter()
            verdict = decide((noise + shift * cell.margin).tolist(), cell.margin, "lower", LEVEL)
            spent[shift] += time.perf_counter() - clock
            counts[shift][getattr(verdict, "verdict", verdict)] += 1
        done += 1
    return [Rate(cell, shift, done, found["pass"], found["fail"], spent[shift]) for shift, found in counts.items()]


def breaches(rates: Sequence[Rate]) -> list[Breach]:
    """All rates beyond their limits, the worst first."""
    found = [
        Breach(rate, limit)
        for rate in rates
        for limit in limits(rate.cell)
        if limit.shift == rate.shift and limit.over(rate.counted(limit.counted)) > 0
    ]
    return sorted(found, key=lambda breach: -breach.errors)
