"""The pairs of images that are furthest from what they should be: of one identity yet unlike, of two yet alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.metrics.embeddings import unit_vectors

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]
BLOCK_ROWS = 256
OFTEN = 2
"""In how many of the pairs an image is at most: one bad image would else be in all of them."""


@dataclass(frozen=True)
class ScoredPair:
    """Two images, by their places, and their cosine."""

    first: int
    second: int
    score: float


def most_alike_impostors(vectors: Vectors, identities: Ids, count: int, *, missing: Flags) -> list[ScoredPair]:
    """The pairs of two identities with the highest cosines, an image in two of them at most.

    Args:
        vectors: float (n, d); what stands where one is ``missing`` does not matter, the others are not zero.
        identities: int (n,).
        count: how many pairs.
        missing: bool (n,): images without a vector, which are in no pair.

    Example:
        >>> vectors = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
        >>> found = most_alike_impostors(vectors, np.array([0, 1, 2]), 1, missing=np.zeros(3, bool))
        >>> [(pair.first, pair.second) for pair in found]
        [(0, 1)]
    """
    return _extremes(vectors, identities, count, missing, same=False)


def least_alike_genuine(vectors: Vectors, identities: Ids, count: int, *, missing: Flags) -> list[ScoredPair]:
    """The pairs of one identity with the lowest cosines, an image in two of them at most.

    Example:
        >>> vectors = np.array([[1, 0], [1, 0.1], [0, 1]], np.float32)
        >>> found = least_alike_genuine(vectors, np.array([0, 0, 0]), 2, missing=np.zeros(3, bool))
        >>> [(pair.first, pair.second) for pair in found]
        [(0, 2), (1, 2)]
    """
    return _extremes(vectors, identities, count, missing, same=True)


def _extremes(vectors: Vectors, identities: Ids, count: int, missing: Flags, *, same: bool) -> list[ScoredPair]:
    """The worst first; equal scores by their places, so that the answer is the same every time."""
    there = np.flatnonzero(~missing)
    if len(there) < 2:
        return []
    units, whose = unit_vectors(vectors[there]), identities[there]
    wanted = count * 16
    ranks, firsts, seconds = np.empty(0, np.float32), np.empty(0, np.intp), np.empty(0, np.intp)
    for begin in range(0, len(units), BLOCK_ROWS):
        rank = units[begin : begin + BLOCK_ROWS] @ (units[begin:].T if same else -units[begin:].T)
        bound = ranks[-1] if len(ranks) == wanted else np.inf
        # whichever is rare is looked for first
        rows, columns = np.nonzero(whose[begin : begin + BLOCK_ROWS, None] == whose[begin:] if same else rank <= bound)
        alike = whose[rows + begin] == whose[columns + begin]
        kept = (columns > rows) & (alike == same) & (rank[rows, columns] <= bound)
        rows, columns = rows[kept], columns[kept]
        if len(rows) > wanted:
            lowest = np.partition(rank[rows, columns], wanted - 1)[wanted - 1]
            kept = rank[rows, columns] <= lowest
            rows, columns = rows[kept], columns[kept]
        ranks = np.concatenate([ranks, rank[rows, columns]])
        firsts, seconds = np.concatenate([firsts, rows + begin]), np.concatenate([seconds, columns + begin])
        order = np.lexsort((seconds, firsts, ranks))[:wanted]  # the lowest are the worst
        ranks, firsts, seconds = ranks[order], firsts[order], seconds[order]
    found: list[ScoredPair] = []
    used = np.zeros(len(units), np.int64)
    for worst, first, second in zip(ranks.tolist(), firsts.tolist(), seconds.tolist(), strict=True):
        if len(found) < count and max(used[first], used[second]) < OFTEN:
            used[[first, second]] += 1
            found.append(ScoredPair(int(there[first]), int(there[second]), worst if same else -worst))
    return found
