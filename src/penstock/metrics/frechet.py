"""FID and KID: how far one set of image features lies from another.

Both take features as they come from an extractor, float ``(n, d)``, one row an image; they know no images and no
network. Values are comparable only under the same extractor, and FID only at the same ``n``: it is biased upwards at
small ``n`` (at ``n`` = 50 two samples of the same images are tens apart), KID is not. Gate KID, report FID.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError

Features = npt.NDArray[np.floating]
Matrix = npt.NDArray[np.float64]
Chosen = npt.NDArray[np.bool_]

KID_SUBSETS = 100
KID_SUBSET_SIZE = 1000
KID_SEED = 2020
BLOCK_ROWS = 1024
"""Kernel matrices are summed in blocks of this many rows and columns (8 MiB): memory does not grow with n²."""
SINGLE_FROM = 1000
"""Where both sets have more rows than this, kernels are computed from float32 products (see :class:`_Rows`)."""
SHARED_ERROR = 1e-6
"""The most that rounding may move the trace term, as a share of the distance, before singular values are computed."""


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
    gap = mean_left - mean_right
    cross = gram_factor(left) @ gram_factor(right).T
    cross *= np.sqrt(weight_left * weight_right)
    return distance_of_moments(float(gap @ gap) + traces, cross)


def distance_of_moments(apart: float, cross: Matrix) -> float:
    """The Fréchet distance from its two parts.

    The sum of singular values is taken from the eigenvalues of ``cross crossᵀ``, which cost a third. Squaring loses the
    digits of the small ones, so how much that can move the sum is bounded; where it is more than a millionth of the
    distance (sets that are nearly equal, covariances that are singular), the singular values themselves are computed.

    Args:
        apart: ``|μa - μb|² + tr Σa + tr Σb``.
        cross: ``A Bᵀ``, where ``AᵀA`` and ``BᵀB`` are the covariances.

    Returns:
        ``apart`` less twice the sum of the singular values of ``cross``, ≥ 0.

    Example:
        Two sets of one mean and of one dimension, with the variances 1 and 4: ``(2 - 1)²``.

        >>> distance_of_moments(1.0 + 4.0, np.array([[2.0]]))
        1.0
    """
    squares = np.linalg.eigvalsh(cross @ cross.T if cross.shape[0] <= cross.shape[1] else cross.T @ cross)
    roots = np.sqrt(np.maximum(squares, 0.0))
    # eigvalsh is good to some units in the last place of the largest value: δ/2σ of a root, or √δ of the smallest
    off = 16.0 * float(np.finfo(np.float64).eps) * float(squares[-1])
    error = 2.0 * float(np.minimum(off / (2.0 * np.maximum(roots, np.finfo(np.float64).tiny)), np.sqrt(off)).sum())
    distance = apart - 2.0 * float(roots.sum())
    if not error <= SHARED_ERROR * distance:
        # NumPy's own SVD, not SciPy's: the two bring a BLAS each, whose idle threads steal the other's cores.
        distance = apart - 2.0 * float(np.linalg.svd(cross, compute_uv=False).sum())
    return max(0.0, distance)


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
      rows of each set, by ``numpy.random.RandomState(seed)``. Pairs of rows that several subsets share are computed
      once, where that is less work than each subset by itself.

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
    rows_left, rows_right = _centred(left, right)
    if min(len(left), len(right)) <= subset_size:
        return float(
            _unbiased_mmd(rows_left, rows_right, np.ones((1, len(left)), bool), np.ones((1, len(right)), bool))[0]
        )
    # The legacy generator, because its draws are what published KID values were made with.
    random = np.random.RandomState(seed)
    chosen_left, chosen_right = np.zeros((subsets, len(left)), bool), np.zeros((subsets, len(right)), bool)
    for in_left, in_right in zip(chosen_left, chosen_right, strict=True):
        in_left[random.choice(len(left), subset_size, replace=False)] = True
        in_right[random.choice(len(right), subset_size, replace=False)] = True
    return float(_unbiased_mmd(rows_left, rows_right, chosen_left, chosen_right).mean())


@dataclass(frozen=True)
class _Rows:
    """Rows of features, kept as what differs from a centre ``c`` that both sets share.

    ``x·y = (x - c)·(y - c) + c·(x - c) + c·(y - c) + c·c``, of which only the first product is large work. In float32
    its rounding, ``2⁻²⁴ √d |x - c| |y - c|`` at most likely, has no preferred sign, and a mean over a million pairs
    leaves a thousandth of it; everything else (the other terms, the third power, all sums) is float64.

    Attributes:
        centred: float32 or float64 ``(n, d)``, ``(x - c) / size``.
        shift: float64 ``(n,)``, so that ``scale · centred_i · centred_j + shift_i + shift_j`` is ``x·y / d + 1``.
        scale: ``size² / d``.
    """

    centred: npt.NDArray[np.floating]
    shift: Matrix
    scale: float

    def take(self, rows: Chosen) -> _Rows:
        """Some of the rows."""
        return _Rows(self.centred[rows], self.shift[rows], self.scale)

    def kernel(self, mine: slice, other: _Rows, theirs: slice) -> Matrix:
        """``(x·y / d + 1)³`` of some rows with some of another set's."""
        base = (self.centred[mine] @ other.centred[theirs].T).astype(np.float64, copy=False)
        base *= self.scale
        base += self.shift[mine, None]
        base += other.shift[theirs]
        cube = base * base
        cube *= base
        return cube


def _centred(left: Matrix, right: Matrix) -> tuple[_Rows, _Rows]:
    """Both sets around the mean of their means; in float32 where there are many rows."""
    dtype = np.float32 if min(len(left), len(right)) > SINGLE_FROM else np.float64
    features = left.shape[1]
    centre = (left.mean(axis=0) + right.mean(axis=0)) / 2.0
    moved = [left - centre, right - centre]
    size = max(max(float(rows.max()), -float(rows.min())) for rows in moved) or 1.0
    half = float(centre @ centre) / (2.0 * features) + 0.5
    first, second = (
        _Rows(
            np.divide(rows, size, out=np.empty(rows.shape, dtype), casting="same_kind"),
            rows @ centre / features + half,
            size * size / features,
        )
        for rows in moved
    )
    return first, second


def _unbiased_mmd(left: _Rows, right: _Rows, chosen_left: Chosen, chosen_right: Chosen) -> Matrix:
    """Unbiased squared MMD of subsets: ``chosen`` (subsets, n) says which rows a subset has; (subsets,)."""
    n, m = int(chosen_left[0].sum()), int(chosen_right[0].sum())  # all subsets have as many
    within = _kernel_sums(left, left, chosen_left, chosen_left) / (n * (n - 1))
    within_other = _kernel_sums(right, right, chosen_right, chosen_right) / (m * (m - 1))
    return np.asarray(within + within_other - 2.0 * _kernel_sums(left, right, chosen_left, chosen_right) / (n * m))


def _kernel_sums(left: _Rows, right: _Rows, chosen_left: Chosen, chosen_right: Chosen) -> Matrix:
    """For each subset, the kernel's sum over the pairs of its rows; of a set with itself, over pairs of two rows.

    All pairs are computed once, or each subset's by itself, whichever is less.
    """
    subsets, pairs = len(chosen_left), int(chosen_left[0].sum()) * int(chosen_right[0].sum())
    if len(left.centred) * len(right.centred) <= subsets * pairs:
        return _weighted_sums(left, right, chosen_left, chosen_right)
    totals = []
    for in_left, in_right in zip(chosen_left, chosen_right, strict=True):
        own = left.take(in_left)
        other = own if left is right else right.take(in_right)
        totals.append(_weighted_sums(own, other, in_left[None, in_left], in_right[None, in_right])[0])
    return np.array(totals)


def _weighted_sums(left: _Rows, right: _Rows, chosen_left: Chosen, chosen_right: Chosen) -> Matrix:
    """:func:`_kernel_sums` from one pass over all pairs of rows."""
    totals = np.zeros(len(chosen_left))
    same = left is right
    for i, j in product(range(0, len(left.centred), BLOCK_ROWS), range(0, len(right.centred), BLOCK_ROWS)):
        if same and j < i:  # its mirror is counted twice
            continue
        mine, theirs = slice(i, i + BLOCK_ROWS), slice(j, j + BLOCK_ROWS)
        kernel = left.kernel(mine, right, theirs)
        if same and i == j:
            np.fill_diagonal(kernel, 0.0)
        sums = np.einsum("sj,sj->s", chosen_left[:, mine].astype(np.float64) @ kernel, chosen_right[:, theirs])
        totals += sums * (2.0 if same and j > i else 1.0)
    return totals


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
    """Both feature sets as float64, validated: they can be compared."""
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
