"""The share of ratings that prefer the candidate, and how sure it is. Numbers in, numbers out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Scores = Mapping[tuple[str, str], float]
"""``(rater, case)`` → 1 the candidate is better, 0.5 they are the same, 0 the released model is better."""


@dataclass(frozen=True)
class WinShare:
    """A mean of scores with its standard error."""

    share: float
    """0 to 1; 0.5 where neither is preferred."""
    error: float | None
    """``None``: one rater or one case alone shows no spread between them."""
    freedom: int
    """Degrees of freedom of Student's t: raters and cases less 2."""
    raters: int
    cases: int


def win_share(scores: Scores) -> WinShare:
    """The mean, with a standard error that counts raters and cases as clusters both.

    One rater's answers hang together, and so do the answers to one case: n ratings are worth fewer. The variance is
    that of C. Cameron, J. Gelbach and D. Miller, Robust Inference with Multiway Clustering (Journal of Business &
    Economic Statistics 29, 2011): clustered by rater, plus clustered by case, minus that of single ratings, each with
    the factor G / (G - 1) for G clusters. With so few clusters the difference is often too small, so that the largest
    of the sum and its three parts is taken. Simulated error rates: docs/ratings.md.

    Args:
        scores: at least one.
    """
    count = len(scores)
    mean = math.fsum(scores.values()) / count
    by_rater: dict[str, list[float]] = defaultdict(list)
    by_case: dict[str, list[float]] = defaultdict(list)
    for (rater, case), score in scores.items():
        by_rater[rater].append(score - mean)
        by_case[case].append(score - mean)
    raters, cases = len(by_rater), len(by_case)
    if raters < 2 or cases < 2:
        return WinShare(mean, None, 0, raters, cases)
    of_raters = _clustered(by_rater.values(), count)
    of_cases = _clustered(by_case.values(), count)
    alone = _clustered(([score - mean] for score in scores.values()), count)
    variance = max(of_raters + of_cases - alone, of_raters, of_cases, alone)
    return WinShare(mean, math.sqrt(variance), raters + cases - 2, raters, cases)


def _clustered(clusters: Iterable[list[float]], count: int) -> float:
    """Variance of the mean of ``count`` values whose clusters are independent of each other."""
    sums = [math.fsum(cluster) for cluster in clusters]
    return math.fsum(one**2 for one in sums) * len(sums) / (len(sums) - 1) / count**2


def agreement(scores: Scores) -> float | None:
    """Krippendorff's alpha of the scores as numbers: 1 all say the same of each case, 0 no more than by chance.

    ``1 - observed / expected disagreement`` with squared differences; ratings that are missing are no matter (K.
    Krippendorff, Computing Krippendorff's Alpha-Reliability, 2011). Where neither model is better it is near 0, however
    careful the raters are.

    Returns:
        At most 1; ``None``: no case has two ratings, or all scores are the same, so that there is nothing to agree on.
    """
    by_case: dict[str, list[float]] = defaultdict(list)
    for (_, case), score in scores.items():
        by_case[case].append(score)
    units = [values for values in by_case.values() if len(values) > 1]
    values = [value for unit in units for value in unit]
    count = len(values)
    if count < 2:
        return None
    expected = _squares(values) / (count - 1)
    if expected <= 0:
        return None
    observed = math.fsum(_squares(unit) * len(unit) / (len(unit) - 1) for unit in units) / count
    return 1 - observed / expected


def _squares(values: list[float]) -> float:
    """Squared distances from the mean: the squared differences of all pairs, divided by how many values there are."""
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values)
