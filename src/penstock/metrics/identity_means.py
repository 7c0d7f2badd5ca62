"""Mean cosines between identities: of each with itself, and with the one that it is most alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.metrics.embeddings import unit_vectors

Vectors = npt.NDArray[np.float32]
Ids = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]
BLOCK_ROWS = 512


@dataclass(frozen=True)
class IdentityMeans:
    """Sums of unit vectors, from which mean cosines follow.

    Attributes:
        probes: float64 (k, d): sum of each identity's vectors as probes.
        gallery: float64 (k, d): the same as gallery.
        own: float64 (k,): sum of the cosines of each image with itself.
        images: int64 (k,): how many images an identity has.
    """

    probes: Values
    gallery: Values
    own: Values
    images: npt.NDArray[np.int64]

    def of(self, rows: Ids, columns: Ids) -> Values:
        """Mean cosines of the images of identities ``rows`` with those of ``columns``: (rows, columns).

        An image is never compared with itself: NaN where an identity has one image only, or none.
        """
        sums = self.probes[rows] @ self.gallery[columns].T
        pairs = self.images[rows, None] * self.images[columns].astype(np.float64)
        same = rows[:, None] == columns
        sums -= np.where(same, self.own[rows, None], 0.0)
        pairs -= np.where(same, self.images[rows, None], 0)
        return np.asarray(np.divide(sums, pairs, out=np.full(sums.shape, np.nan), where=pairs > 0))

    def least_told_apart(self, count: int) -> Ids:
        """The identities whose mean with themselves exceeds that with another by the least, the closest first."""
        everyone = np.arange(len(self.images))
        gaps = np.full(len(everyone), np.inf)
        for begin in range(0, len(everyone), BLOCK_ROWS):
            rows = everyone[begin : begin + BLOCK_ROWS]
            means = self.of(rows, everyone)
            here = np.arange(len(rows))
            itself = means[here, rows]
            means[here, rows] = np.nan
            other = np.where(np.isfinite(means), means, -np.inf).max(axis=1)
            gaps[rows] = np.where(np.isfinite(itself), itself, 1.0) - other
        known = np.flatnonzero(self.images > 0)
        return known[np.argsort(gaps[known], kind="stable")][:count]


def identity_means(gallery: Vectors, probes: Vectors, identities: Ids) -> IdentityMeans:
    """Sum up the vectors of each identity.

    Args:
        gallery: float (n, d), finite, none zero.
        probes: the same, of the same images in the same order.
        identities: int (n,), from 0.

    Example:
        >>> vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
        >>> means = identity_means(vectors, vectors, np.array([0, 0, 1]))
        >>> means.of(np.array([0, 1]), np.array([0, 1])).tolist()
        [[1.0, 0.0], [0.0, nan]]
    """
    stored, asked = (unit_vectors(each).astype(np.float64) for each in (gallery, probes))
    count = int(identities.max()) + 1 if len(identities) else 0
    probe_sums, gallery_sums = (np.zeros((count, stored.shape[1])) for _ in range(2))
    np.add.at(probe_sums, identities, asked)
    np.add.at(gallery_sums, identities, stored)
    own = np.zeros(count)
    np.add.at(own, identities, np.einsum("ij,ij->i", asked, stored))
    return IdentityMeans(probe_sums, gallery_sums, own, np.bincount(identities, minlength=count))
