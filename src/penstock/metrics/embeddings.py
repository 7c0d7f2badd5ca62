"""Vectors of images: whether they are sound, how far a new model moved them, and all pairs of them compared.

Comparisons are cosines in float32: within 1e-6 of those in float64 for 512 values, and the same whatever the number of
threads. All pairs are counted: rates are exact for these cosines, nothing is put into bins.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.metrics.verification import PairScores, Whole, equal_error_rate, find_edges
from penstock.metrics.verification_resamples import Counts, IdentityPairs
from penstock.metrics.verification_scores import Owners, VerificationScores, verification_scores

Vectors = npt.NDArray[np.floating]
Ids = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

UNIT = 1e-3
"""How far a length may be from 1 where vectors are of unit length; float16 rounds within it."""
MOST_VECTORS = 20_000
"""All pairs of more (2 × 10⁸, 800 MB) do not fit into the memory of a small machine."""
MOST_VALUE = 1e300
"""The length of a vector with a larger value may be no number."""
BLOCK_ROWS = 256
NO_FACE = -2.0
"""The score of a comparison with an image that has no vector: below every cosine, so that no threshold accepts it."""
WHOSE = 1.35
"""The highest impostor pairs are kept with their identities: this times as many as the EER and a FAR of 0.1 need."""
WHOSE_MORE = 4.0


@dataclass(frozen=True)
class VectorLengths:
    """The lengths (L2) of vectors.

    Attributes:
        least: the shortest.
        most: the longest.
        unit: whether all are 1 within 1e-3.
    """

    least: float
    most: float
    unit: bool


def vector_fault(vectors: Vectors) -> tuple[int, str] | None:
    """The first vector that cannot be compared, and why; ``None`` where all can.

    Args:
        vectors: float (n, d).

    Example:
        >>> vector_fault(np.array([[1.0, 0.0], [np.nan, 1.0]]))
        (1, 'holds nan')
        >>> vector_fault(np.zeros((1, 3)))
        (0, 'is zero throughout')
        >>> vector_fault(np.array([[-1e305, 1.0]]))
        (0, 'holds -1e+305: its length is no number')
    """
    bad = ~np.isfinite(vectors).all(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        return row, f"holds {vectors[row][~np.isfinite(vectors[row])][0]}"
    if (zero := ~vectors.any(axis=1)).any():
        return int(np.argmax(zero)), "is zero throughout"
    if (beyond := _greatest(vectors)[:, 0] > MOST_VALUE).any():
        row = int(np.argmax(beyond))
        return row, f"holds {vectors[row][np.argmax(np.abs(vectors[row]))]:g}: its length is no number"
    return None


def vector_lengths(vectors: Vectors) -> VectorLengths:
    """How long they are.

    Args:
        vectors: float (n, d), n ≥ 1, finite, values up to 1e300.

    Example:
        >>> vector_lengths(np.array([[3.0, 4.0], [0.6, 0.8]]))
        VectorLengths(least=1.0, most=5.0, unit=False)
    """
    power = np.frexp(_greatest(vectors))[1]  # a power of two, so that no digit changes and no square has no number
    lengths = np.ldexp(np.linalg.norm(np.ldexp(vectors.astype(np.float64), -power), axis=1), power[:, 0])
    least, most = float(lengths.min()), float(lengths.max())
    return VectorLengths(least, most, max(1.0 - least, most - 1.0) <= UNIT)


def unit_vectors(vectors: Vectors) -> npt.NDArray[np.float32]:
    """The same directions with length 1, in float32.

    Args:
        vectors: float (n, d), finite, none zero.

    Example:
        >>> unit_vectors(np.array([[3.0, 4.0]])).tolist()
        [[0.6000000238418579, 0.800000011920929]]
    """
    wide = vectors.astype(np.float64)
    wide /= _greatest(vectors)  # no length overflows
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    return wide.astype(np.float32)


def _greatest(vectors: Vectors) -> npt.NDArray[np.float64]:
    """The greatest absolute value of each vector: float64 (n, 1)."""
    ends = np.stack([vectors.max(axis=1), -vectors.min(axis=1)], axis=1)
    return np.asarray(ends.max(axis=1, keepdims=True), np.float64)


def drift(released: Vectors, candidate: Vectors) -> npt.NDArray[np.float64]:
    """Cosine of both versions' vectors of the same image.

    Args:
        released: float (n, d), finite, none zero.
        candidate: the same, of the same images in the same order.

    Returns:
        float64 (n,), from -1 to 1; 1: not moved.

    Example:
        >>> drift(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 1.0]])).tolist()
        [1.0, 0.0]
    """
    one, other = (unit_vectors(each).astype(np.float64) for each in (released, candidate))
    return np.asarray(np.clip(np.einsum("ij,ij->i", one, other), -1.0, 1.0))


def all_pairs(gallery: Vectors, probes: Vectors, identities: Ids, *, missing: Flags | None = None) -> PairScores:
    """The scores of :func:`score_all_pairs`, without rates and intervals.

    Raises:
        UsageError: there are too many images, all of one identity, or each of its own.

    Example:
        >>> vectors = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> pairs = all_pairs(vectors, vectors, np.array([0, 0, 1]))
        >>> pairs.genuine.round(3).tolist(), pairs.impostor.round(3).tolist()
        ([0.800000011920929], [0.6000000238418579, 0.0])
    """
    return _compared(gallery, probes, identities, missing).pairs


def score_all_pairs(
    gallery: Vectors, probes: Vectors, identities: Ids, *, missing: Flags | None = None
) -> VerificationScores:
    """Error rates over all pairs of images: each pair once, the earlier image by ``gallery``, the later by ``probes``.

    With the same vectors on both sides these are the pairs of one model. With those of the released model as gallery
    and those of the candidate as probes they say whether stored galleries are still usable. An image is never compared
    with itself.

    Args:
        gallery: float (n, d), finite, none zero, n at most 20,000.
        probes: the same, of the same images in the same order.
        identities: int (n,), from 0, every number below the largest there.
        missing: bool (n,): images that have no vector, because no face was found; what stands in its place does not
            matter. Their comparisons fail at every threshold. ``None``: all have one.

    Raises:
        UsageError: there are too many images, all of one identity, or each of its own.

    Example:
        >>> random = np.random.default_rng(1)
        >>> people = np.repeat(np.arange(30), 3)
        >>> vectors = random.normal(size=(30, 8))[people] + 0.3 * random.normal(size=(90, 8))
        >>> found = score_all_pairs(vectors, vectors, people)
        >>> found.n_genuine, found.n_impostor, found.eer < 0.1 < score_all_pairs(vectors, -vectors, people).eer
        (90, 3915, True)
    """
    compared = _compared(gallery, probes, identities, missing)
    edges = find_edges(compared.pairs)
    impostors = len(compared.pairs.impostor)
    known = max(0.1, equal_error_rate(edges)) * impostors * WHOSE + 1000
    while True:
        owners = compared.owners(min(int(known), impostors))
        if (found := verification_scores(compared.pairs, owners)) is not None:
            return found
        known *= WHOSE_MORE


def _compared(gallery: Vectors, probes: Vectors, identities: Ids, missing: Flags | None) -> _Compared:
    if len(identities) > MOST_VECTORS:
        what = f"{len(identities):,} images have {len(identities) * (len(identities) - 1) // 2:,} pairs"
        raise UsageError(what, todo=f"Give at most {MOST_VECTORS:,} images: all images of some of the people.")
    missing = np.zeros(len(identities), np.bool_) if missing is None else missing
    return _Compared.of(_known(gallery, missing), _known(probes, missing), identities, missing)


def image_errors(
    gallery: Vectors, probes: Vectors, identities: Ids, threshold: float, *, missing: Flags | None = None
) -> ImageErrors:
    """What goes wrong with each image as a probe, against all other images as gallery, at one threshold.

    Args:
        gallery: float (n, d), finite, none zero.
        probes: the same, of the same images in the same order.
        identities: int (n,).
        threshold: the lowest score that is accepted.
        missing: as :func:`score_all_pairs` has it.

    Example:
        >>> vectors = np.array([[1.0, 0.0], [1.0, 0.1], [0.9, 0.2], [0.0, 1.0]])
        >>> found = image_errors(vectors, vectors, np.array([0, 0, 1, 0]), 0.9)
        >>> found.genuine.tolist(), found.rejected.tolist(), found.accepted.tolist()
        ([2, 2, 0, 2], [1, 1, 0, 2], [1, 1, 2, 0])
    """
    missing = np.zeros(len(identities), np.bool_) if missing is None else missing
    kept, asked = _known(gallery, missing), _known(probes, missing)
    rejected, accepted = (np.zeros(len(identities), np.int64) for _ in range(2))

    def compare(begin: int) -> None:
        rows = slice(begin, begin + BLOCK_ROWS)
        above = asked[rows] @ kept.T >= np.float32(threshold)
        above[:, missing] = False
        above[missing[rows]] = False
        same = identities[rows, None] == identities
        rejected[rows] = (same & ~above).sum(axis=1) - ~above[np.arange(len(above)), np.arange(len(above)) + begin]
        accepted[rows] = (~same & above).sum(axis=1)

    _in_threads(compare, range(0, len(identities), BLOCK_ROWS))
    images = np.bincount(identities)[identities]
    return ImageErrors(images - 1, rejected, len(identities) - images, accepted)


def _known(vectors: Vectors, missing: Flags) -> npt.NDArray[np.float32]:
    """Of length 1; any vector where there is none."""
    return unit_vectors(np.where(missing[:, None], 1.0, vectors))


@dataclass(frozen=True)
class ImageErrors:
    """Comparisons of each image with all others at a threshold.

    Attributes:
        genuine: int64 (n,): other images of the same identity.
        rejected: int64 (n,): of these, those that are not accepted.
        impostors: int64 (n,): images of other identities.
        accepted: int64 (n,): of these, those that are accepted.
    """

    genuine: Whole
    rejected: Whole
    impostors: Whole
    accepted: Whole


@dataclass(frozen=True)
class _Compared:
    """All pairs, rows sorted by identity, so that a row's genuine pairs come first.

    Attributes:
        pairs: their scores.
        whose: (n,): identity of each row.
        first: (n,): the first row of another, later identity.
        begins: (n + 1,): where each row's impostor pairs begin in ``scores``.
        scores: float32, of the impostor pairs, row by row.
        genuine: identity of each genuine pair.
    """

    pairs: PairScores
    whose: Ids
    first: Ids
    begins: Whole
    scores: npt.NDArray[np.float32]
    genuine: Ids

    @classmethod
    def of(cls, gallery: Vectors, probes: Vectors, identities: Ids, missing: Flags) -> _Compared:
        order = np.argsort(identities, kind="stable")
        whose, count = identities[order], len(identities)
        gallery, probes, missing = gallery[order], probes[order], missing[order]
        first = np.searchsorted(whose, whose, side="right")
        begins = np.concatenate([[0], np.cumsum(count - first)])
        starts = np.concatenate([[0], np.cumsum(first - np.arange(count) - 1)])
        scores = np.empty(int(begins[-1]), np.float32)
        genuine = np.empty(int(starts[-1]), np.float32)

        def compare(begin: int) -> None:
            cosines = gallery[begin : begin + BLOCK_ROWS] @ probes[begin:].T
            cosines[missing[begin : begin + BLOCK_ROWS]] = NO_FACE
            cosines[:, missing[begin:]] = NO_FACE
            for row, values in enumerate(cosines, begin):
                middle = first[row] - begin
                genuine[starts[row] : starts[row + 1]] = values[row + 1 - begin : middle]
                scores[begins[row] : begins[row + 1]] = values[middle:]

        _in_threads(compare, range(0, count, BLOCK_ROWS))
        by_score = np.argsort(genuine)[::-1]
        of = np.repeat(whose, np.diff(starts))[by_score]
        return cls(PairScores(genuine[by_score], np.sort(scores)[::-1]), whose, first, begins, scores, of)

    def owners(self, known: int) -> Owners:
        """Whose the pairs are; of the impostor pairs at least the ``known`` highest."""
        least = self.pairs.impostor[known - 1]
        places = np.flatnonzero(self.scores >= least)
        rows = np.searchsorted(self.begins, places, side="right") - 1
        columns = self.first[rows] + places - self.begins[rows]
        order = np.argsort(self.scores[places])[::-1]
        images = np.bincount(self.whose)
        people = len(images)

        def everyone(counts: Counts) -> Whole:
            weights = counts.T.astype(np.float64) * images
            return np.asarray((weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)) / 2.0).astype(np.int64)

        pairs = IdentityPairs(people, self.genuine, self.whose[rows[order]], self.whose[columns[order]], everyone)
        return Owners(pairs, people * (people - 1) // 2)


def _in_threads(work: Callable[[int], None], parts: range) -> None:
    """On all cores, each matrix product on one thread: its digits then do not depend on their number."""
    from threadpoolctl import threadpool_limits  # not above: a report that looks at one vector has no need of it

    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        list(pool.map(work, parts))
