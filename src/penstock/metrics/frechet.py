"""FID and KID: how far one set of image features lies from another.

Both take features as they come from an extractor, float ``(n, d)``, one row an image; they know no images and no
network. Values are comparable only under the same extractor, and FID only at the same ``n``: it is biased upwards at
small ``n`` (at ``n`` = 50 two samples of the same images are tens apart), KID is not. Gate KID, report FID.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError

Features = npt.NDArray[np.floating]
Matrix = npt.NDArray[np.float64]

KID_SUBSETS = 100
KID_SUBSET_SIZE = 1000
KID_SEED = 2020
BLOCK_ROWS = 2048
"""Kernel matrices are summed in blocks of this many rows and columns (32 MiB): memory does not grow with n²."""


def frechet_distance(a: Features, b: Features) -> float:
    """Squared Fréchet (2-Wasserstein) distance of Gaussians fitted to two feature sets: FID, if they are Inception's.

    ``|μa - μb|² + tr Σa + tr Σb - 2 tr (Σa Σb)^½`` with unbiased covariances (Heusel et al., 2017), in float64.

    The trace term is not taken from a ``d × d`` matrix root. With centred features ``X`` (n, d) and ``Y`` (m, d),
    ``tr (XᵀX YᵀY)^½`` is the sum of the singular values of ``X Yᵀ``, which is only ``n × m``: at 300 × 2048 that is a
    hundred times cheaper than the eigenvalues of ``Σa Σb``, and better conditioned, since nothing is squared. A set
    with more rows than columns is first reduced to a ``d × d`` factor of ``XᵀX``.

    Args:
        a: float (n, d), n ≥ 2, finite.
        b: float (m, d), m ≥ 2, finite; m may differ from n.

    Returns:
        The distance, ≥ 0 (rounding below 0 is cut), in squared feature units.

    Raises:
        UsageError: fewer than two rows, unequal or no columns, values that are not finite.

    Example:
        >>> a = np.random.default_rng(1).normal(size=(100, 4))
        >>> b = a + 1.0  # the mean moves by 1 in each of 4 dimensions
        >>> round(frechet_distance(a, a), 6), round(frechet_distance(a, b), 6)
        (0.0, 4.0)
    """
    left, right = _pair(a, b)
    mean_left, mean_right = left.mean(axis=0), right.mean(axis=0)
    left, right = left - mean_left, right - mean_right
    weight_left, weight_right = 1.0 / (len(left) - 1), 1.0 / (len(right) - 1)
    traces = float(np.vdot(left, left)) * weight_left + float(np.vdot(right, right)) * weight_right
    # NumPy's own SVD, not SciPy's: the two bring a BLAS each, whose idle threads steal the other's cores.
    cross = gram_factor(left) @ gram_factor(right).T
    shared = float(np.linalg.svd(cross, compute_uv=False).sum()) * float(np.sqrt(weight_left * weight_right))
    gap = mean_left - mean_right
    return max(0.0, float(gap @ gap) + traces - 2.0 * shared)


def kernel_distance(
    a: Features,
    b: Features,
    *,
    subsets: int = KID_SUBSETS,
    subset_size: int = KID_SUBSET_SIZE,
    seed: int = KID_SEED,
) -> float:
    """Kernel distance of two feature sets: KID (Bińkowski et al., 2018), on Inception's features.

    The unbiased squared MMD under the kernel ``(x·y / d + 1)³``. It may be slightly negative: 0 is its expectation for
    two samples of one distribution, not its minimum. Always the same value for the same input:

    - where the smaller set has at most ``subset_size`` rows, the estimator over *all* rows (no chance in it; no mean
      over subsets has a smaller variance). torch-fidelity refuses such sets;
    - else, as torch-fidelity 0.4 does it, draw for draw: the mean over ``subsets`` random subsets of ``subset_size``
      rows of each set, by ``numpy.random.RandomState(seed)``.

    Args:
        a: float (n, d), n ≥ 2, finite.
        b: float (m, d), m ≥ 2, finite.
        subsets: how many subsets are drawn, ≥ 1.
        subset_size: rows in a subset, ≥ 2.
        seed: of the draw, 0 to 2³² - 1.

    Raises:
        UsageError: fewer than two rows, unequal or no columns, values that are not finite, parameters out of range.

    Example:
        >>> a, b = np.random.default_rng(1).normal(size=(2, 100, 4))
        >>> abs(kernel_distance(a, b)) < 0.1 < kernel_distance(a, b + 1.0)
        True
    """
    left, right = _pair(a, b)
    if subsets < 1 or subset_size < 2:
        raise UsageError(
            f"{subsets} subsets of {subset_size} rows", todo="Ask for at least one subset of at least two rows."
        )
    if not 0 <= seed < 2**32:
        raise UsageError(f"the seed {seed} is outside 0 to 2^32 - 1")
    if min(len(left), len(right)) <= subset_size:
        return _unbiased_mmd(left, right)
    # The legacy generator, because its draws are what published KID values were made with.
    random = np.random.RandomState(seed)
    draws: list[float] = []
    for _ in range(subsets):
        rows_left = random.choice(len(left), subset_size, replace=False)
        rows_right = random.choice(len(right), subset_size, replace=False)
        draws.append(_unbiased_mmd(left[rows_left], right[rows_right]))
    return float(np.mean(draws))


def _unbiased_mmd(left: Matrix, right: Matrix) -> float:
    """Unbiased squared MMD over all rows of ``left`` (n, d) and ``right`` (m, d)."""
    n, m = len(left), len(right)
    within = _kernel_sum(left, left) - _kernel_diagonal(left)
    within_other = _kernel_sum(right, right) - _kernel_diagonal(right)
    return within / (n * (n - 1)) + within_other / (m * (m - 1)) - 2.0 * _kernel_sum(left, right) / (n * m)


def _kernel_sum(left: Matrix, right: Matrix) -> float:
    """Sum of the polynomial kernel over all pairs of rows; of a set with itself, each pair of blocks is taken once."""
    total = 0.0
    same = left is right
    for i in range(0, len(left), BLOCK_ROWS):
        for j in range(i if same else 0, len(right), BLOCK_ROWS):
            kernel = left[i : i + BLOCK_ROWS] @ right[j : j + BLOCK_ROWS].T
            kernel /= left.shape[1]
            kernel += 1.0
            total += float((kernel * kernel * kernel).sum()) * (2.0 if same and j > i else 1.0)
    return total


def _kernel_diagonal(rows: Matrix) -> float:
    """Sum of the kernel of each row with itself."""
    return float(((np.einsum("ij,ij->i", rows, rows) / rows.shape[1] + 1.0) ** 3).sum())


def gram_factor(rows: Matrix) -> Matrix:
    """A matrix ``F`` with ``FᵀF == rowsᵀ rows`` and at most as many rows as columns.

    Example:
        >>> rows = np.random.default_rng(1).normal(size=(100, 4))
        >>> factor = gram_factor(rows)
        >>> factor.shape, np.allclose(factor.T @ factor, rows.T @ rows)
        ((4, 4), True)
    """
    if rows.shape[0] <= rows.shape[1]:
        return rows
    gram = rows.T @ rows
    try:
        return np.asarray(np.linalg.cholesky(gram).T)
    except np.linalg.LinAlgError:  # features that are always 0, or depend on each other, leave it singular
        values, vectors = np.linalg.eigh(gram)
        return np.asarray(np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T)


def _pair(a: Features, b: Features) -> tuple[Matrix, Matrix]:
    """Both feature sets as float64, checked to be comparable."""
    for name, features in (("first", a), ("second", b)):
        if features.ndim != 2 or features.shape[1] == 0:
            raise UsageError(f"the {name} set has the shape {features.shape}, features are (n, d)")
        if len(features) < 2:
            rows = len(features)
            raise UsageError(
                f"the {name} set has {rows} image{'' if rows == 1 else 's'}", todo="Give at least two images or frames."
            )
        if not np.isfinite(features).all():
            raise UsageError(f"the {name} set has features that are not finite", todo="Check the extractor.")
    if a.shape[1] != b.shape[1]:
        raise UsageError(
            f"the sets have {a.shape[1]} and {b.shape[1]} features an image", todo="Use one extractor for both."
        )
    return np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
