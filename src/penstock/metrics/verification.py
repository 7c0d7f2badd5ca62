"""Error rates of one-to-one comparison: FMR, FNMR, EER, TAR at a FAR, the points of the DET curve, d′.

Scores are similarities: the higher, the more alike. A pair is accepted at the threshold t where its score is at least
t. With the names of ISO/IEC 19795-1:

FMR, false match rate
    Share of the impostor pairs (two identities) that are accepted. FAR stands for it here: of comparisons, not of
    transactions, so that failures to acquire are not in it unless they have a score.
FNMR, false non-match rate
    Share of the genuine pairs (one identity) that are not accepted; TAR is 1 minus it.
TAR at a FAR
    The highest TAR of all thresholds whose FMR is at most that, ``max(tpr[fpr <= far])`` of scikit-learn's
    ``roc_curve``; nothing is interpolated. Said only where there are at least 10 ÷ FAR impostor pairs.
EER
    Where the ROC, drawn with straight lines from one distinct score to the next, meets FMR = FNMR: the usual
    ``brentq(lambda x: 1 - x - interp1d(fpr, tpr)(x), 0, 1)``. Not of the ROC's convex hull, which lies lower.

All of them follow from how many impostor pairs lie above and at each distinct genuine score: the *edges* below. So the
same functions serve pairs that are counted and pairs that are weighted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError

Scores = npt.NDArray[np.floating]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PairScores:
    """Scores of genuine and of impostor pairs, sorted.

    Attributes:
        genuine: float (g,), descending, finite, g ≥ 1.
        impostor: float (i,), descending, finite, i ≥ 1.
    """

    genuine: Scores
    impostor: Scores

    def __post_init__(self) -> None:
        """Refuse what has no error rates.

        Raises:
            UsageError: pairs of one kind are missing, or a score is not finite.
        """
        for name, scores in (("genuine", self.genuine), ("impostor", self.impostor)):
            if not len(scores):
                raise UsageError(f"there are no {name} pairs", todo="Error rates need pairs of both kinds.")
            if not (np.isfinite(scores[0]) and np.isfinite(scores[-1])):
                raise UsageError(f"a score of the {name} pairs is not a finite number")


@dataclass(frozen=True)
class Edges:
    """How many impostor pairs have been passed, going down from the highest score, at each distinct genuine score.

    Edge 2j lies just above the j-th highest distinct genuine score, edge 2j + 1 at it, the last edge below all scores.

    Attributes:
        impostors: int64 (2m + 1,), of m distinct genuine scores: impostor pairs passed at each edge, weighted or not;
            the last is all of them.
        genuine: int64 (m + 1,): genuine pairs passed, 0 first; at edge e they are ``genuine[(e + 1) // 2]``.
    """

    impostors: Whole
    genuine: Whole


def sort_pairs(scores: Scores, same: npt.NDArray[np.bool_]) -> PairScores:
    """Divide scores into those of genuine and of impostor pairs.

    Args:
        scores: float (n,), the higher the more alike.
        same: bool (n,): whether both sides are of one identity.

    Raises:
        UsageError: pairs of one kind are missing, or a score is not finite.

    Example:
        >>> pairs = sort_pairs(np.array([0.2, 0.9, 0.4]), np.array([False, True, False]))
        >>> pairs.genuine.tolist(), pairs.impostor.tolist()
        ([0.9], [0.4, 0.2])
    """
    return PairScores(np.sort(scores[same])[::-1], np.sort(scores[~same])[::-1])


def find_edges(pairs: PairScores) -> Edges:
    """Count impostor pairs at each distinct genuine score.

    Example:
        >>> pairs = PairScores(np.array([0.9, 0.5, 0.5]), np.array([0.9, 0.7, 0.1]))
        >>> edges = find_edges(pairs)  # above 0.9, at 0.9, above 0.5, at 0.5, all
        >>> edges.impostors.tolist(), edges.genuine.tolist()
        ([0, 1, 2, 2, 3], [0, 1, 3])
    """
    last = np.flatnonzero(np.append(pairs.genuine[1:] != pairs.genuine[:-1], True))
    values = pairs.genuine[last]
    ascending = pairs.impostor[::-1]
    count = len(ascending)
    impostors = np.empty(2 * len(values) + 1, np.int64)
    impostors[0:-1:2] = count - np.searchsorted(ascending, values, side="right")
    impostors[1::2] = count - np.searchsorted(ascending, values, side="left")
    impostors[-1] = count
    return Edges(impostors, np.concatenate([[0], last + 1]).astype(np.int64))


def equal_error_rate(edges: Edges) -> float:
    """The EER, from 0 to 1.

    Example:
        >>> equal_error_rate(find_edges(PairScores(np.array([0.9, 0.8, 0.6, 0.3]), np.array([0.7, 0.5, 0.2, 0.1]))))
        0.25
        >>> equal_error_rate(find_edges(PairScores(np.array([0.5]), np.array([0.5]))))  # a coin
        0.5
    """
    at = meeting_edge(edges)
    return meeting_point(edges, at, edges.impostors[max(at - 1, 0) : at + 1])


def crossed(edges: Edges, at: npt.NDArray[np.intp], impostors: Whole) -> npt.NDArray[np.bool_]:
    """Whether FMR is at least FNMR.

    Args:
        edges: the genuine pairs, and the total of the impostor pairs.
        at: numbers of edges.
        impostors: passed at each of these.

    Example:
        >>> edges = find_edges(PairScores(np.array([0.9, 0.3]), np.array([0.5, 0.1])))
        >>> crossed(edges, np.arange(5), edges.impostors).tolist()
        [False, False, True, True, True]
    """
    missed = edges.genuine[-1] - edges.genuine[(at + 1) // 2]
    return np.asarray(impostors * edges.genuine[-1] >= missed * edges.impostors[-1])


def meeting_edge(edges: Edges) -> int:
    """The first edge at which FMR is at least FNMR.

    Example:
        >>> meeting_edge(find_edges(PairScores(np.array([0.9, 0.3]), np.array([0.5, 0.1]))))
        2
    """
    return int(np.argmax(crossed(edges, np.arange(len(edges.impostors)), edges.impostors)))


def meeting_point(edges: Edges, at: int, passed: Whole) -> float:
    """The EER where ``at`` is the first edge at which FMR is at least FNMR.

    Args:
        edges: the genuine pairs, and the total of the impostor pairs.
        at: the edge's number.
        passed: impostor pairs passed at the edge before it and at it; at edge 0, at it alone.

    Example:
        >>> edges = find_edges(PairScores(np.array([0.5]), np.array([0.5, 0.1])))  # from (0, 1) to (0.5, 0)
        >>> round(meeting_point(edges, 1, edges.impostors[0:2]), 4)
        0.3333
    """
    everyone, impostors = int(edges.genuine[-1]), int(edges.impostors[-1])
    after = 1.0 - int(edges.genuine[(at + 1) // 2]) / everyone
    if at % 2 == 0:  # only impostor pairs lie between the edges: FNMR stays where it is
        return after
    before = 1.0 - int(edges.genuine[at // 2]) / everyone
    left, right = int(passed[0]) / impostors, int(passed[1]) / impostors
    gap, over = before - left, right - after
    return left + (right - left) * gap / (gap + over)


def accepted_at_eer(edges: Edges) -> int:
    """How many genuine pairs are accepted where FMR first is at least FNMR.

    Example:
        >>> accepted_at_eer(find_edges(PairScores(np.array([0.9, 0.3]), np.array([0.5, 0.1]))))
        1
    """
    return int(edges.genuine[(meeting_edge(edges) + 1) // 2])


def threshold_at_eer(pairs: PairScores) -> float | None:
    """A threshold at the EER, where FMR first is at least FNMR.

    It is halfway between the lowest genuine score that is accepted there and the next lower score of any pair: in the
    middle of the gap, where the two kinds do not overlap.

    ``None`` where no genuine pair is accepted.

    Example:
        >>> threshold_at_eer(PairScores(np.array([0.9, 0.8]), np.array([0.4, 0.3])))
        0.6000000000000001
    """
    accepted = accepted_at_eer(find_edges(pairs))
    if not accepted:
        return None
    lowest = float(pairs.genuine[accepted - 1])
    below = [*pairs.genuine[accepted : accepted + 1], *pairs.impostor[pairs.impostor < lowest][:1]]
    return (lowest + max(map(float, below), default=lowest)) / 2.0


def accepted_at(edges: Edges, one_in: int) -> int:
    """How many genuine pairs are accepted at the FAR 1 ÷ ``one_in``.

    Example:
        >>> accepted_at(find_edges(PairScores(np.array([0.95, 0.6, 0.3]), np.arange(10)[::-1] / 10)), 10)
        1
    """
    at = int(np.searchsorted(edges.impostors, edges.impostors[-1] // one_in, side="right")) - 1
    return int(edges.genuine[(at + 1) // 2])


def tar_at(edges: Edges, one_in: int) -> float:
    """TAR at the FAR 1 ÷ ``one_in``, from 0 to 1, however few impostor pairs there are.

    Example:
        >>> genuine, impostor = np.array([0.95, 0.6, 0.3]), np.arange(10)[::-1] / 10
        >>> tar_at(find_edges(PairScores(genuine, impostor)), 10)  # one impostor pair of ten may be accepted
        0.3333333333333333
    """
    return accepted_at(edges, one_in) / int(edges.genuine[-1])


def threshold_at(pairs: PairScores, one_in: int) -> float | None:
    """The lowest genuine score that is accepted at the FAR 1 ÷ ``one_in``: the threshold of :func:`tar_at`.

    ``None`` where no genuine pair is accepted.

    Example:
        >>> threshold_at(PairScores(np.array([0.95, 0.6, 0.3]), np.arange(10)[::-1] / 10), 10)
        0.95
    """
    accepted = accepted_at(find_edges(pairs), one_in)
    return float(pairs.genuine[accepted - 1]) if accepted else None


def det_points(pairs: PairScores, most: int = 200) -> list[tuple[float, float, float]]:
    """Points of the DET curve: (threshold, FMR, FNMR), thresholds descending, at distinct genuine scores.

    Args:
        pairs: the scores.
        most: points; of more distinct scores, as many as that, evenly in FMR's logarithm and in FNMR.

    Example:
        >>> det_points(PairScores(np.array([0.9, 0.3]), np.array([0.5, 0.1])))
        [(0.9, 0.0, 0.5), (0.3, 0.5, 0.0)]
    """
    edges = find_edges(pairs)
    accepted, passed = edges.genuine[1:], edges.impostors[1::2]
    kept = np.arange(len(accepted))
    if len(kept) > most:
        half = most // 2
        wanted = np.geomspace(1, max(1, int(passed[-1])), half)
        by_fmr = np.searchsorted(passed, wanted)
        by_fnmr = np.linspace(0, len(accepted) - 1, half)
        kept = np.unique(np.concatenate([by_fmr, np.round(by_fnmr)]).clip(max=len(accepted) - 1).astype(np.int64))
    thresholds = pairs.genuine[accepted[kept] - 1]
    fmr = passed[kept] / edges.impostors[-1]
    fnmr = (edges.genuine[-1] - accepted[kept]) / edges.genuine[-1]
    return [(float(t), float(x), float(y)) for t, x, y in zip(thresholds, fmr, fnmr, strict=True)]


def d_prime(pairs: PairScores) -> float | None:
    """How far the means of both kinds are apart, in root mean square of their standard deviations (Daugman 2000).

    ``None`` where neither kind has a spread, or less than 1e-150 of the greatest score. Of a score far from all others
    little but that score is left in it, however many they are.

    Example:
        >>> round(d_prime(PairScores(np.array([5.0, 3.0]), np.array([1.0, -1.0]))), 6)
        4.0
        >>> d_prime(PairScores(np.array([0.9, 0.9, 0.9]), np.array([0.1, 0.1, 0.1])))
    """
    genuine, impostor = _squarable(pairs)
    spread = float(np.sqrt((_variance(genuine) + _variance(impostor)) / 2.0))
    apart = float(genuine.mean(dtype=np.float64) - impostor.mean(dtype=np.float64))
    return apart / spread if spread > 0.0 else None


def _squarable(pairs: PairScores) -> tuple[Scores, Scores]:
    """Genuine and impostor scores, by one power of two larger or smaller where their squares have no number."""
    kinds = pairs.genuine, pairs.impostor
    greatest = max(abs(float(scores[end])) for scores in kinds for end in (0, -1))
    if greatest == 0.0 or 1e-100 < greatest < 1e100:
        return kinds
    power = -math.frexp(greatest)[1]
    return np.ldexp(kinds[0].astype(np.float64), power), np.ldexp(kinds[1].astype(np.float64), power)


def _variance(scores: Scores) -> float:
    """Of sorted scores; 0 where all are equal: their mean need not be their value, to the last digit."""
    return float(scores.var(dtype=np.float64)) if scores[0] != scores[-1] else 0.0
