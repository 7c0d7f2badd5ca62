"""EER and TAR again on resamples: what their intervals are taken from.

By identity
    Pairs of one person resemble each other, so a resample draws identities, with replacement, and a pair counts as
    often as both of its identities were drawn: the product of their counts, of a genuine pair the count of its one
    identity (the bootstrap of a graph's vertices: Snijders and Borgatti 1999; for matching tasks Fogliato, Patil
    and Perona 2024). Pairs of two copies of one identity would be genuine, and do not count as impostors.
By pair
    Where identities are not known: genuine and impostor pairs are drawn apart. Such intervals are too narrow where
    people have several pairs, and the commands say so.

Neither sorts again. Scores are sorted once; of a resample only the number of impostor pairs passed at each edge changes
(:class:`penstock.metrics.verification.Edges`). By identity, weights are summed in blocks of the sorted pairs for many
resamples at once, and pair by pair only in the block in which a resample crosses. By pair, the number in each half of a
sorted range is binomial, so that halving finds the crossing without drawing the pairs themselves. All weights are whole
numbers: values do not depend on threads.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.metrics.verification import Edges, Whole, crossed, meeting_edge, meeting_point

Values = npt.NDArray[np.float64]
Ids = npt.NDArray[np.intp]
Counts = npt.NDArray[np.float32]

RESAMPLES = 1000
SEED = 20_260_301
BATCH_COUNTS = 1 << 22
"""Counts of identities that are held at a time (16 MiB), for as many resamples as that makes."""
MOST_BATCH = 256
FEW_EDGES = 256
"""Up to so many edges each is a cut of its own."""
STEPS = 12
RATIO = 1.02
"""Cuts about the place where all pairs together cross: as many to either side, each so much further from the top."""
_GATHERED = 1 << 16
"""Numbers that are gathered at a time (256 KiB: they stay in the cache)."""


@dataclass(frozen=True)
class Resampled:
    """Values of the resamples.

    Attributes:
        eer: float64 (r,).
        tar: 1 ÷ FAR → float64 (r,).
    """

    eer: Values
    tar: dict[int, Values]


@dataclass(frozen=True)
class IdentityPairs:
    """Whose pairs they are, in the order of their sorted scores.

    Attributes:
        identities: how many there are; they are numbered from 0.
        genuine: (g,): of each genuine pair.
        first, second: (i,): of the impostor pairs with the highest scores; all of them, or as many as are known.
        everyone: counts (n, r) → (r,), the weight of all impostor pairs together; ``None`` where all are known.
    """

    identities: int
    genuine: Ids
    first: Ids
    second: Ids
    everyone: Callable[[Counts], Whole] | None = None


def draw_identities(identities: int, resamples: int = RESAMPLES, *, first: int = 0) -> Counts:
    """Draw identities with replacement: how often each is in each resample.

    Args:
        identities: how many there are, and are drawn.
        resamples: how many resamples.
        first: number of the first of these; resample k is the same whichever it is drawn with.

    Returns:
        float32 (identities, resamples), whole numbers; each column sums to ``identities``.

    Example:
        >>> drawn = draw_identities(5, 3)
        >>> drawn.sum(axis=0).tolist(), bool((drawn[:, 2:] == draw_identities(5, 1, first=2)).all())
        ([5.0, 5.0, 5.0], True)
    """
    counts = np.empty((resamples, identities), np.float32)
    generator = np.random.default_rng()
    for row in range(resamples):
        generator.bit_generator.state = _start(first + row)
        counts[row] = np.bincount(generator.integers(0, identities, identities), minlength=identities)
    return np.ascontiguousarray(counts.T)


@functools.lru_cache(maxsize=RESAMPLES)
def _start(number: int) -> Mapping[str, Any]:
    """Where the generator of a resample begins: seeding one takes longer than drawing, and slices draw often."""
    return np.random.default_rng((SEED, number)).bit_generator.state


def resample_identities(
    edges: Edges, pairs: IdentityPairs, one_in: Sequence[int], resamples: int = RESAMPLES
) -> Resampled:
    """EER and TAR on resamples of the identities.

    Args:
        edges: of all pairs, each once.
        pairs: whose they are.
        one_in: inverses of the FARs.
        resamples: how many.

    Returns:
        A value is NaN where a resample has no pair of one kind, infinite where it crosses below the impostor pairs that
        are known.

    Example:
        >>> from penstock.metrics.verification import PairScores, find_edges
        >>> edges = find_edges(PairScores(np.array([0.9, 0.8]), np.array([0.4, 0.3])))
        >>> pairs = IdentityPairs(3, np.array([0, 1]), np.array([0, 1]), np.array([2, 2]))
        >>> found = resample_identities(edges, pairs, [10], resamples=4)
        >>> found.eer.shape, sorted(set(found.eer[np.isfinite(found.eer)].tolist()))
        ((4,), [0.0])
    """
    cuts = _cuts(edges, one_in, len(pairs.first))
    if not len(cuts):
        return Resampled(np.full(resamples, np.inf), {each: np.full(resamples, np.inf) for each in one_in})
    batch = max(1, min(MOST_BATCH, BATCH_COUNTS // pairs.identities))
    begins = range(0, resamples, batch)

    def of(begin: int) -> tuple[Values, Values]:
        counts = draw_identities(pairs.identities, min(batch, resamples - begin), first=begin)
        return _Batch(edges, pairs, cuts, counts).values(one_in)

    with ThreadPoolExecutor(min(len(begins), os.cpu_count() or 1)) as pool:
        found = list(pool.map(of, begins))
    eer = np.concatenate([each for each, _ in found])
    tar = np.concatenate([each for _, each in found], axis=1)
    return Resampled(eer, dict(zip(one_in, tar, strict=True)))


def _cuts(edges: Edges, one_in: Sequence[int], known: int) -> Ids:
    """Numbers of the edges at which weights are summed for all resamples: dense where they are likely to cross."""
    usable = int(np.searchsorted(edges.impostors, known, side="right"))
    if usable <= FEW_EDGES:
        return np.arange(usable)
    everyone = int(edges.impostors[-1])
    crossing = meeting_edge(edges)
    places = [int(edges.impostors[crossing]), *(everyone // each for each in one_in)]
    ratios = RATIO ** np.arange(-STEPS, STEPS + 1)
    wanted = np.unique(np.round(np.outer(places, ratios)).astype(np.int64))
    by_impostors = np.searchsorted(edges.impostors, wanted)
    by_genuine = crossing + np.linspace(-crossing, usable - 1 - crossing, FEW_EDGES // 4).astype(np.int64)
    return np.unique(np.concatenate([by_impostors, by_genuine, [0, usable - 1]]).clip(0, usable - 1)).astype(np.intp)


class _Batch:
    """Some resamples at once."""

    def __init__(self, edges: Edges, pairs: IdentityPairs, cuts: Ids, counts: Counts) -> None:
        self._edges, self._pairs, self._cuts, self._counts = edges, pairs, cuts, counts
        self._ends = edges.genuine[1:] - 1
        begins = np.concatenate([[0], edges.impostors[cuts]])
        sums = [self._sums(*span) for span in pairwise(begins)]
        self._passed = np.cumsum(np.stack(sums), axis=0).astype(np.int64)
        self._everyone = self._passed[-1] if pairs.everyone is None else pairs.everyone(counts)
        self._last = int(cuts[-1])
        self._known: Values | None = None

    @property
    def _all_known(self) -> Values:
        """Weights of all impostor pairs that are known: at least so many lie before the edge after the last cut."""
        if self._known is None:
            self._known = self._passed[-1] + self._sums(int(self._edges.impostors[self._last]), len(self._pairs.first))
        return self._known

    def _sums(self, begin: int, end: int) -> Values:
        """Weights of the sorted impostor pairs from ``begin`` to ``end``, of each resample."""
        total = np.zeros(self._counts.shape[1])
        rows = max(1, _GATHERED // self._counts.shape[1])
        for start in range(int(begin), int(end), rows):
            part = slice(start, min(start + rows, int(end)))
            left = self._counts.take(self._pairs.first[part], axis=0)
            total += np.einsum("pr,pr->r", left, self._counts.take(self._pairs.second[part], axis=0))
        return total

    def values(self, one_in: Sequence[int]) -> tuple[Values, Values]:
        """EER (r,), and TAR (FARs, r)."""
        resamples = self._counts.shape[1]
        eer, tar = np.full(resamples, np.nan), np.full((len(one_in), resamples), np.nan)
        for column in range(resamples):
            counts = self._counts[:, column].astype(np.int64)
            genuine = np.concatenate([[0], np.cumsum(counts.take(self._pairs.genuine))[self._ends]])
            everyone = int(self._everyone[column])
            if not everyone or not genuine[-1]:
                continue
            passed = self._passed[:, column]
            whole = Edges(np.array([everyone]), genuine)
            eer[column] = self._eer(counts, passed, whole, column)
            for row, each in enumerate(one_in):
                tar[row, column] = self._tar(counts, passed, whole, each, column)
        return eer, tar

    def _eer(self, counts: Whole, passed: Whole, whole: Edges, column: int) -> float:
        beyond = crossed(whole, self._cuts, passed)
        cut = int(np.argmax(beyond))
        if not beyond[cut]:
            # up to the next edge there are only impostor pairs, if it lies above a genuine score: FNMR stays what it is
            accepted, everyone = int(whole.genuine[(self._last + 1) // 2]), int(whole.genuine[-1])
            there = self._all_known[column] * everyone >= (everyone - accepted) * int(whole.impostors[-1])
            return 1.0 - accepted / everyone if self._last % 2 and there else float("inf")
        first, weights = self._block(counts, passed, cut)
        at = int(np.argmax(crossed(whole, first + np.arange(len(weights)), weights)))
        return meeting_point(whole, first + at, weights[max(at - 1, 0) : at + 1])

    def _tar(self, counts: Whole, passed: Whole, whole: Edges, one_in: int, column: int) -> float:
        allowed = int(whole.impostors[-1]) // one_in
        cut = int(np.searchsorted(passed, allowed, side="right"))
        if cut == len(passed):
            accepted, everyone = int(whole.genuine[(self._last + 1) // 2]), int(whole.genuine[-1])
            decided = accepted == everyone or self._all_known[column] > allowed
            return accepted / everyone if decided else float("inf")
        first, weights = self._block(counts, passed, cut)
        at = first + int(np.searchsorted(weights, allowed, side="right")) - 1
        return int(whole.genuine[(at + 1) // 2]) / int(whole.genuine[-1])

    def _block(self, counts: Whole, passed: Whole, cut: int) -> tuple[int, Whole]:
        """The edges from the cut before this one to it: number of the first, and the weights passed at each."""
        if cut == 0:
            return 0, passed[:1]
        first, last = int(self._cuts[cut - 1]), int(self._cuts[cut])
        if last - first == 1:
            return first, passed[cut - 1 : cut + 1]
        places = self._edges.impostors[first : last + 1]
        part = slice(int(places[0]), int(places[-1]))
        weights = counts.take(self._pairs.first[part]) * counts.take(self._pairs.second[part])
        summed = np.concatenate([[0], np.cumsum(weights)])
        return first, passed[cut - 1] + summed[places - places[0]]


def resample_pairs(edges: Edges, one_in: Sequence[int], resamples: int = RESAMPLES) -> Resampled:
    """EER and TAR on resamples of the pairs, genuine and impostor pairs drawn apart.

    Args:
        edges: of all pairs, each once.
        one_in: inverses of the FARs.
        resamples: how many.

    Example:
        >>> from penstock.metrics.verification import PairScores, find_edges
        >>> edges = find_edges(PairScores(np.array([0.9, 0.8, 0.1]), np.arange(20)[::-1] / 40))
        >>> found = resample_pairs(edges, [10], resamples=200)
        >>> sorted(set(np.round(found.tar[10], 4).tolist()))
        [0.0, 0.3333, 0.6667, 1.0]
    """
    generator = np.random.default_rng(SEED)
    everyone, impostors = int(edges.genuine[-1]), int(edges.impostors[-1])

    def met(genuine: Whole, passed: Whole) -> npt.NDArray[np.bool_]:
        return np.asarray(passed * everyone >= (everyone - genuine) * impostors)

    after, genuine, passed = _halve(edges, met, resamples, generator)
    eer = np.empty(resamples)
    for number in range(resamples):
        drawn = Edges(np.array([impostors]), np.array([genuine[0, number], genuine[1, number], everyone]))
        parity = 1 if after[number] % 2 else 2  # the edge's own genuine pairs are then those of this small set's edge
        eer[number] = meeting_point(drawn, parity, passed[:, number])
    tar = {}
    for each in one_in:

        def refused(_: Whole, passed: Whole, allowed: int = impostors // each) -> npt.NDArray[np.bool_]:
            return np.asarray(passed > allowed)

        _, genuine, _ = _halve(edges, refused, resamples, generator)
        tar[each] = genuine[0] / everyone
    return Resampled(eer, tar)


def _halve(
    edges: Edges,
    beyond: Callable[[Whole, Whole], npt.NDArray[np.bool_]],
    resamples: int,
    generator: np.random.Generator,
) -> tuple[Whole, Whole, Whole]:
    """Find the first edge of each resample that is ``beyond`` (genuine pairs passed, impostor pairs passed).

    Returns:
        Its number (r,); the genuine and the impostor pairs passed at the edge before it and at it, (2, r) each.
    """
    last = len(edges.impostors) - 1
    places = np.concatenate([[0], edges.impostors])  # place k is edge k - 1: the first is above everything
    genuine = np.concatenate([[0], edges.genuine[(np.arange(last + 1) + 1) // 2]])
    low, high = np.zeros(resamples, np.int64), np.full(resamples, last + 1)
    ends = [np.array([[0] * resamples, [each[-1]] * resamples]) for each in (genuine, places)]
    while (open_ := high - low > 1).any():
        middle = (low + high) // 2
        drawn = []
        for each, (below, above) in zip((genuine, places), ends, strict=True):
            width = each[high] - each[low]
            share = np.divide(each[middle] - each[low], width, out=np.zeros(resamples), where=width > 0)
            drawn.append(below + generator.binomial(above - below, share))
        past = beyond(*drawn)
        for found, end in zip(drawn, ends, strict=True):
            end[1] = np.where(open_ & past, found, end[1])
            end[0] = np.where(open_ & ~past, found, end[0])
        high, low = np.where(open_ & past, middle, high), np.where(open_ & ~past, middle, low)
    return high - 1, ends[0], ends[1]
