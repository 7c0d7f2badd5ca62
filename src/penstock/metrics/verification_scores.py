"""EER and TAR at each FAR with their intervals: what is said of a list of comparisons."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from penstock.metrics.false_accept_rates import ONE_IN, too_few
from penstock.metrics.verification import (
    PairScores,
    Scores,
    accepted_at,
    accepted_at_eer,
    d_prime,
    equal_error_rate,
    find_edges,
    tar_at,
    threshold_at,
    threshold_at_eer,
)
from penstock.metrics.verification_resamples import (
    RESAMPLES,
    IdentityPairs,
    Ids,
    Resampled,
    Values,
    resample_identities,
    resample_pairs,
)
from penstock.metrics.wilson import wilson

TAIL = 0.0125
"""Share of the resamples beyond each bound. The plain 0.025 covered 89 to 96 % of the truths in simulations of 20 to
100 identities where there were many errors, and as few as a third where there were hardly any; this with Wilson's
interval beside it 95 % and more in each (docs/adr/0030-comparisons-and-quality.md)."""
FEW_ERRORS = 4
FEW_IDENTITIES = 10
FEW_PAIRS = 20

Interval = tuple[float, float]


@dataclass(frozen=True)
class Owners:
    """Whose pairs they are.

    Attributes:
        pairs: the identities of the sorted pairs.
        impostors: how many different pairs of identities the impostor pairs are of.
    """

    pairs: IdentityPairs
    impostors: int


@dataclass(frozen=True)
class VerificationScores:
    """Error rates of one-to-one comparison.

    Attributes:
        eer: from 0 to 1.
        eer_interval: at least 95 %; ``None``: see ``reasons``.
        tar: FAR, as :data:`penstock.metrics.false_accept_rates.ONE_IN` writes it, → TAR.
        tar_interval: FAR → interval of its TAR.
        threshold: FAR → the lowest genuine score that is accepted.
        d_prime: how far the two kinds are apart.
        n_genuine, n_impostor: pairs.
        n_identities: ``None`` where identities are not known; intervals are by pair then.
        n_impostor_identities: pairs of identities that the impostor pairs are of.
        reasons: ``tar FAR``, ``interval eer``, ``interval FAR``, ``d_prime`` → why there is none.
        eer_threshold: of :func:`penstock.metrics.verification.threshold_at_eer`.
        resampled: what the intervals are taken from; ``None`` where there are too few pairs or identities for any.
    """

    eer: float
    eer_interval: Interval | None
    tar: dict[str, float | None]
    tar_interval: dict[str, Interval | None]
    threshold: dict[str, float | None]
    d_prime: float | None
    n_genuine: int
    n_impostor: int
    n_identities: int | None
    n_impostor_identities: int | None
    reasons: dict[str, str]
    eer_threshold: float | None
    resampled: Resampled | None = field(compare=False, repr=False)


def sort_owned_pairs(
    scores: Scores, same: npt.NDArray[np.bool_], first: Ids, second: Ids, identities: int
) -> tuple[PairScores, Owners]:
    """Divide scores into those of genuine and of impostor pairs, with their identities.

    Args:
        scores: float (n,), the higher the more alike.
        same: bool (n,).
        first: int (n,), from 0: the identity of one side.
        second: that of the other: equal where ``same``, else different.
        identities: how many there are.

    Raises:
        UsageError: pairs of one kind are missing, or a score is not finite.

    Example:
        >>> pairs, owners = sort_owned_pairs(np.array([0.2, 0.9, 0.4]), np.array([False, True, False]),
        ...     np.array([0, 1, 0]), np.array([1, 1, 2]), 3)
        >>> pairs.impostor.tolist(), owners.pairs.second.tolist(), owners.impostors
        ([0.4, 0.2], [2, 1], 2)
    """
    order = np.argsort(scores)[::-1]
    is_same = same[order]
    genuine, impostor = order[is_same], order[~is_same]
    left, right = first[impostor], second[impostor]
    of = len(np.unique(np.minimum(left, right) * identities + np.maximum(left, right)))
    owners = Owners(IdentityPairs(identities, first[genuine], left, right), of)
    return PairScores(scores[genuine], scores[impostor]), owners


def verification_scores(
    pairs: PairScores, owners: Owners | None = None, resamples: int = RESAMPLES
) -> VerificationScores | None:
    """EER and TAR with their intervals.

    Intervals hold the middle 97.5 % of 1,000 resamples, the value itself, and Wilson's interval for as many independent
    pairs as the resamples' spread is worth. A bootstrap knows nothing of errors that did not happen: where fewer than 4
    identities (or pairs) fail, or fewer than 4 do not, Wilson's is for no more than there are identities (or pairs).

    Args:
        pairs: the scores.
        owners: whose they are; ``None``: not known, and resamples draw pairs.
        resamples: how many.

    Returns:
        The scores; ``None`` where a resample needs more impostor pairs than ``owners`` knows.

    Example:
        >>> random = np.random.default_rng(1)
        >>> pairs = PairScores(np.sort(random.normal(3, 1, 50))[::-1], np.sort(random.normal(0, 1, 1000))[::-1])
        >>> found = verification_scores(pairs)
        >>> found.tar["1e-3"], found.reasons["tar 1e-3"]
        (None, '1,000 impostor pairs; 10 ÷ FAR = 10,000 are needed')
        >>> found.eer_interval[0] < found.eer < found.eer_interval[1]
        True
    """
    edges = find_edges(pairs)
    impostors = len(pairs.impostor) if owners is None else owners.impostors
    few = {far: too_few(one_in, impostors, of_identities=owners is not None) for far, one_in in ONE_IN.items()}
    said = {far: one_in for far, one_in in ONE_IN.items() if few[far] is None}
    value, tar = equal_error_rate(edges), {far: tar_at(edges, one_in) for far, one_in in said.items()}
    intervals: dict[str, Interval | str] = {}
    drawn: Resampled | None = None
    units, why = _units(pairs, owners)
    if why is None:
        targets = list(said.values())
        drawn = (
            resample_pairs(edges, targets, resamples)
            if owners is None
            else resample_identities(edges, owners.pairs, targets, resamples)
        )
        if any(np.isinf(values).any() for values in (drawn.eer, *drawn.tar.values())):
            return None
        rare = {name: _rarer(pairs, owners, accepted_at(edges, one_in)) for name, one_in in said.items()}
        intervals = {far: _interval(tar[far], drawn.tar[one_in], units, rare[far]) for far, one_in in said.items()}
        intervals["eer"] = _interval(value, drawn.eer, units, _rarer(pairs, owners, accepted_at_eer(edges)))
    else:
        intervals = dict.fromkeys(["eer", *said], why)
    apart = d_prime(pairs)
    reasons = {f"tar {far}": each for far, each in few.items() if each is not None}
    reasons |= {f"interval {name}": each for name, each in intervals.items() if isinstance(each, str)}
    reasons |= {"d_prime": "all scores of each kind are equal, or nearly so"} if apart is None else {}
    found = {name: None if isinstance(each, str) else each for name, each in intervals.items()}
    return VerificationScores(
        eer=value,
        eer_interval=found["eer"],
        tar={far: tar.get(far) for far in ONE_IN},
        tar_interval={far: found.get(far) for far in ONE_IN},
        threshold={far: threshold_at(pairs, said[far]) if far in said else None for far in ONE_IN},
        d_prime=apart,
        n_genuine=len(pairs.genuine),
        n_impostor=len(pairs.impostor),
        n_identities=None if owners is None else owners.pairs.identities,
        n_impostor_identities=None if owners is None else owners.impostors,
        reasons=reasons,
        eer_threshold=threshold_at_eer(pairs),
        resampled=drawn,
    )


def _units(pairs: PairScores, owners: Owners | None) -> tuple[int, str | None]:
    """How many identities with genuine pairs, or genuine pairs, there are; why there is no interval, or ``None``."""
    if owners is None:
        counts = len(pairs.genuine), len(pairs.impostor)
        why = f"{counts[0]} genuine and {counts[1]} impostor pairs: an interval needs {FEW_PAIRS} of each"
        return counts[0], why if min(counts) < FEW_PAIRS else None
    count = len(np.unique(owners.pairs.genuine))
    why = f"{count} identities with genuine pairs: an interval needs {FEW_IDENTITIES}"
    return count, why if count < FEW_IDENTITIES else None


def _rarer(pairs: PairScores, owners: Owners | None, accepted: int) -> int:
    """How many identities (or pairs) have a genuine pair that is accepted, or how many one that is not: the fewer."""
    if owners is None:
        return min(accepted, len(pairs.genuine) - accepted)
    of = owners.pairs.genuine
    return min(len(np.unique(of[:accepted])), len(np.unique(of[accepted:])))


def _interval(value: float, values: Values, units: int, rare: int) -> Interval | str:
    """Of a share, from its resamples; or why there is none."""
    if lost := int(np.isnan(values).sum()):
        return f"{lost} of {len(values)} resamples have no pairs of one kind: too few identities"
    low, high = (float(bound) for bound in np.quantile(values, [TAIL, 1.0 - TAIL]))
    bounds = [(low, high), (value, value)]
    variance, binomial = float(values.var()), value * (1.0 - value)
    worth = binomial / variance if variance and binomial else float(units)
    bounds.append(wilson(value, min(worth, units) if rare < FEW_ERRORS else worth))
    return min(low for low, _ in bounds), max(high for _, high in bounds)
