"""Whether a model is as sure as it is right: calibration error, Brier score, the area under risk and coverage.

Expected calibration error
    The reliability diagram's mean gap (Naeini 2015, Guo 2017): predictions are put into 15 bins of equal width by their
    confidence, a bound belonging to the bin below it; of each bin the share that is right is compared with the mean
    confidence, and the gaps are weighed by how many predictions are in it. It is biased upwards where predictions are
    few, and depends on the bins. Bins that hold equally many ("adaptive", Nixon 2019) depend on the data instead, so
    that two models are measured with two rulers: they are not used. The Brier score needs no bins at all.
Area under risk and coverage
    Predictions are refused from the least sure one on; the risk is the mean loss of those that are left (Geifman 2017).
    Equal confidences are refused together. Without ties it is the mean of the risks of the surest 1, 2, … n.
    It is low if the model errs rarely, and if it errs where it is unsure.

All of them are of arrays; with ``counts`` also of resamples: how often each prediction was drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.integer]
Values = npt.NDArray[np.float64]

BINS = 15
_BLOCK = 1 << 22
"""Numbers of a table that is computed at a time."""


def bin_of(confidence: Numbers, bins: int = BINS) -> npt.NDArray[np.intp]:
    """The bin of each confidence, 0 to bins - 1; a bound belongs to the bin below it.

    Example:
        >>> bin_of(np.array([0.0, 0.1, 0.2, 0.21, 1.0]), 5).tolist()
        [0, 0, 0, 1, 4]
    """
    bounds = np.arange(1, bins) / bins
    return np.asarray(np.searchsorted(bounds, confidence, side="left"))


def expected_calibration_error(confidence: Numbers, correct: Flags | Numbers, *, bins: int = BINS) -> float:
    """The expected calibration error, from 0 to 1; lower is better.

    Args:
        confidence: float (n,), n ≥ 1, from 0 to 1.
        correct: (n,), whether each prediction is right; or how often, from 0 to 1.
        bins: how many, of equal width.

    Example:
        >>> expected_calibration_error(np.array([0.9, 0.9, 0.9, 0.9]), np.array([True, True, True, False]))
        0.15000000000000002
    """
    return float(resampled_calibration_error(confidence, correct, np.ones((1, len(confidence)), int), bins=bins)[0])


def resampled_calibration_error(
    confidence: Numbers,
    correct: Flags | Numbers,
    counts: Counts,
    *,
    owners: Counts | None = None,
    bins: int = BINS,
) -> Values:
    """:func:`expected_calibration_error` of resamples.

    Args:
        confidence: float (n,), n ≥ 1, from 0 to 1.
        correct: (n,), see there.
        counts: (resamples, owners): how often each owner was drawn, with all its predictions.
        owners: (n,), the number of each prediction's owner; ``None``: each prediction is drawn by itself.
        bins: how many.

    Returns:
        float64 (resamples,); NaN of one that holds nothing.

    Example:
        >>> counts = np.array([[1, 1], [2, 0]])
        >>> resampled_calibration_error(np.array([0.75, 0.5]), np.array([True, False]), counts).tolist()
        [0.375, 0.25]
    """
    owner = np.arange(len(confidence)) if owners is None else owners
    gaps = np.zeros((counts.shape[1], bins))
    np.add.at(gaps, (owner, bin_of(confidence, bins)), np.asarray(correct, np.float64) - confidence)
    sizes = np.bincount(owner, minlength=counts.shape[1])
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(counts @ gaps).sum(axis=1) / (counts @ sizes))


@dataclass(frozen=True)
class Reliability:
    """The reliability diagram: the bins that hold something, ascending.

    Attributes:
        confidence: float64 (k,): mean confidence of a bin's predictions.
        correct: float64 (k,): the share of them that is right.
        count: int64 (k,): how many they are.
    """

    confidence: Values
    correct: Values
    count: npt.NDArray[np.int64]


def reliability(confidence: Numbers, correct: Flags | Numbers, *, bins: int = BINS) -> Reliability:
    """The reliability diagram whose mean gap :func:`expected_calibration_error` is.

    Args:
        confidence: float (n,), n ≥ 1, from 0 to 1.
        correct: (n,), whether each prediction is right.
        bins: how many, of equal width.

    Example:
        >>> found = reliability(np.array([0.9, 0.92, 0.1]), np.array([True, False, False]), bins=5)
        >>> found.confidence.round(3).tolist(), found.correct.tolist(), found.count.tolist()
        ([0.1, 0.91], [0.0, 0.5], [1, 2])
    """
    of = bin_of(confidence, bins)
    count = np.bincount(of, minlength=bins)
    sums = [np.bincount(of, np.asarray(values, np.float64), minlength=bins) for values in (confidence, correct)]
    there = np.flatnonzero(count)
    return Reliability(sums[0][there] / count[there], sums[1][there] / count[there], count[there].astype(np.int64))


def brier_score(confidence: Numbers, correct: Flags | Numbers) -> float:
    """The mean square of how far confidence is from being right (1) or wrong (0): from 0 to 1; lower is better.

    Args:
        confidence: float (n,), n ≥ 1, from 0 to 1.
        correct: (n,), whether each prediction is right.

    Example:
        >>> brier_score(np.array([1.0, 0.5]), np.array([True, False]))
        0.125
    """
    return float(np.mean((np.asarray(confidence, np.float64) - np.asarray(correct, np.float64)) ** 2))


def risk_coverage_area(confidence: Numbers, loss: Numbers) -> float:
    """The area under risk and coverage, as large as the loss can be; lower is better.

    Args:
        confidence: float (n,), n ≥ 1, finite.
        loss: float (n,): of each prediction; 0 and 1 where it is right and wrong.

    Example:
        >>> round(risk_coverage_area(np.array([0.9, 0.5, 0.1]), np.array([0.0, 0.0, 1.0])), 4)  # 0, 0, 1/3
        0.1111
    """
    return float(resampled_risk_coverage(confidence, loss, np.ones((1, len(confidence)), int))[0])


@dataclass(frozen=True)
class RiskCoverage:
    """The risk of what is answered, against the share that is: each different confidence is a point.

    Attributes:
        coverage: float64 (k,), ascending, the last is 1.
        risk: float64 (k,): mean loss of the predictions that are kept.
    """

    coverage: Values
    risk: Values

    def thinned(self, most: int) -> RiskCoverage:
        """At most ``most`` of its points, the first and the last among them."""
        kept = np.unique(np.round(np.linspace(0, len(self.coverage) - 1, most)).astype(np.int64))
        return RiskCoverage(self.coverage[kept], self.risk[kept])


def risk_coverage(confidence: Numbers, loss: Numbers) -> RiskCoverage:
    """The curve whose area :func:`risk_coverage_area` is.

    Args:
        confidence: float (n,), n ≥ 1, finite.
        loss: float (n,).

    Example:
        >>> curve = risk_coverage(np.array([0.9, 0.5, 0.5, 0.1]), np.array([0.0, 0.0, 1.0, 1.0]))
        >>> curve.coverage.tolist(), curve.risk.round(3).tolist()
        ([0.25, 0.75, 1.0], [0.0, 0.333, 0.5])
    """
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    ranked = np.asarray(confidence, np.float64)[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    lost = np.cumsum(np.asarray(loss, np.float64)[order])[last]
    return RiskCoverage((last + 1) / len(ranked), lost / (last + 1))


def resampled_risk_coverage(confidence: Numbers, loss: Numbers, counts: Counts) -> Values:
    """:func:`risk_coverage_area` of resamples.

    Args:
        confidence: float (n,), n ≥ 1, finite.
        loss: float (n,).
        counts: (resamples, n): how often each prediction was drawn.

    Returns:
        float64 (resamples,); NaN of one that holds nothing.

    Example:
        >>> counts = np.array([[1, 1], [0, 2]])
        >>> resampled_risk_coverage(np.array([0.75, 0.5]), np.array([0.0, 1.0]), counts).tolist()
        [0.25, 1.0]
    """
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    ranked = np.asarray(confidence, np.float64)[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    losses = np.asarray(loss, np.float64)[order]
    found = []
    for block in _blocks(counts):
        drawn = block[:, order]
        kept = np.cumsum(drawn, axis=1)[:, last]
        lost = np.cumsum(drawn * losses, axis=1)[:, last]
        with np.errstate(invalid="ignore", divide="ignore"):
            risk = np.where(kept > 0, lost / kept, 0.0)
            found.append((risk * np.diff(kept, axis=1, prepend=0)).sum(axis=1) / kept[:, -1])
    return np.concatenate(found)


def _blocks(counts: Counts) -> Iterator[Counts]:
    rows = max(1, _BLOCK // max(1, counts.shape[1]))
    yield from (counts[start : start + rows] for start in range(0, len(counts), rows))
