"""FID and KID again on resamples of the clips: what their intervals are taken from.

The frames of one clip resemble each other, so a resample draws whole clips, with replacement, never frames. The draw
(:func:`draw_clips`) depends on the clips' names alone: two models that answered the same cases are recomputed on the
same draws, and the differences of their values, one by one, are the resampled differences of the metric.

How to use two lists of values (``a`` of the candidate, ``b`` of the baseline, of equal ``key``): ``a[i] - b[i]`` are
draws of the change. What a draw of clips adds to both sides cancels in them: the bias of FID, which is higher the fewer
distinct clips a resample has, and the difficulty of the clips. What does not cancel moves their mean away from the
change of the two point values by less than their spread: centre them there (``change + d - mean(d)``). Their spread
falls short by the usual factor of a bootstrap of few: multiply it by ``sqrt(cases / (cases - 1))``.

What a resample holds
    As many clips as there are, so its number of *frames* varies where clips differ in length, as it does in the metric
    itself, which weighs frames, not clips. FID is biased by the number of frames; both sides of a comparison draw the
    same clips, so that this too is nearly the same on both.
FID
    Of the resample as it stands: the mean and the unbiased covariance over its frames, a clip drawn twice counting
    twice.
KID
    Unbiased: a frame is never paired with itself, and for the same reason two copies of one clip are never paired with
    each other. Only pairs that the undrawn sample has are counted, each as often as it was drawn.
Where the point value is an estimate of its own (KID over random subsets) or an approximation is used below, values are
shifted together, so that drawing each clip once gives the point value exactly.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from penstock.foundation.errors import UsageError
from penstock.metrics.frechet import gram_factor

Features = npt.NDArray[np.floating]
Matrix = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Item = TypeVar("Item")
Result = TypeVar("Result")

RESAMPLES = 1000
SCHEME = "penstock clip resamples 1"
"""Named in the key: another way to draw, or another meaning of the values, is another scheme."""
DIRECTIONS = 192
"""Directions in which FID's shared spread is computed anew for each resample."""
MOST_MOMENTS = 1 << 24
"""Numbers kept as second moments of the clips (128 MiB): beyond 455 clips there are fewer directions."""
MOST_FRAMES = 12_800
"""Frames of which KID compares all pairs: 50 clips of 10 s whole, of more every so many."""
MOST_REFERENCE = 4096
"""The same of the reference."""
_BLOCK_FRAMES = 512
_BLOCK_RESAMPLES = 32
_ROUNDS = 4


@dataclass(frozen=True)
class ClipDraw:
    """Which clips each resample holds.

    Attributes:
        key: SHA-256, in hex, of the names and the scheme: equal keys mean equal draws.
        counts: int64 (resamples, clips): how often each clip was drawn, the clips in the order of their sorted names;
            each row sums to the number of clips.
    """

    key: str
    counts: Counts


def draw_clips(names: Sequence[str], *, resamples: int = RESAMPLES) -> ClipDraw:
    """Draw clips with replacement, the same for the same names on every machine.

    The indices are ``u * clips // 2³²`` of the unsigned little-endian 32-bit numbers ``u`` that SHAKE-256 makes of the
    key's text; no library's generator is in it, whose numbers could change with its version.

    Args:
        names: of the clips, distinct, in any order.
        resamples: how many, at least 1.

    Example:
        >>> drawn = draw_clips(["one", "two", "three"], resamples=4)
        >>> drawn.counts.shape, drawn.counts.sum(axis=1).tolist()
        ((4, 3), [3, 3, 3, 3])
        >>> draw_clips(["three", "one", "two"], resamples=4).key == drawn.key
        True
    """
    if len(set(names)) != len(names) or not names or resamples < 1:
        raise ValueError(f"{resamples} resamples of {len(names)} clips, {len(set(names))} of them distinct")
    text = "\n".join([SCHEME, str(resamples), *sorted(names)]).encode()
    clips = len(names)
    stream = np.frombuffer(hashlib.shake_256(text).digest(4 * resamples * clips), dtype="<u4").astype(np.uint64)
    drawn = (stream * np.uint64(clips) >> np.uint64(32)).astype(np.int64).reshape(resamples, clips)
    drawn += clips * np.arange(resamples)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=resamples * clips).reshape(resamples, clips)
    return ClipDraw(hashlib.sha256(text).hexdigest(), counts.astype(np.int64))


def resampled_frechet(clips: Sequence[Features], reference: Features, counts: Counts, *, point: float) -> Matrix:
    """:func:`penstock.metrics.frechet.frechet_distance` on resamples of the clips.

    Means and variances are exact. The shared spread ``tr (Σa Σb)^½`` is computed anew in the 192 directions that carry
    most of it, and scales in the rest as the spread outside of them does. So values are exact (to rounding) where
    features or reference have at most 192 dimensions. Beyond, features whose spectrum falls slowly suit it least: with
    the inverse root of the rank, 512 dimensions and 50 clips, values were 0.3 % low together, and differences of two
    models off by 0.02 of their standard deviation, which itself was right to 0.3 %; with frames that are noise in all
    of 300 dimensions and 30 clips by 0.1 and 2 % (the tests hold that). On steeper spectra it is less.

    Args:
        clips: float (n, d) each, n ≥ 1, finite, in the order of the sorted names.
        reference: float (m, d), m ≥ 2, finite.
        counts: (resamples, clips), of :func:`draw_clips`.
        point: the distance of all clips, each once.

    Returns:
        float64 (resamples,), ≥ 0, finite.

    Raises:
        UsageError: a resample of fewer than two frames.

    Example:
        >>> from penstock.metrics.frechet import frechet_distance
        >>> clips = np.random.default_rng(1).normal(size=(3, 10, 4))
        >>> reference = np.random.default_rng(2).normal(size=(20, 4))
        >>> counts = np.array([[1, 1, 1], [3, 0, 0]])
        >>> point = frechet_distance(np.concatenate(clips), reference)
        >>> each_once, one_alone = resampled_frechet(list(clips), reference, counts, point=point)
        >>> np.isclose(each_once, point, rtol=1e-6), one_alone != each_once
        (np.True_, np.True_)
    """
    lengths = _lengths(clips, counts)
    drawn = counts @ lengths
    if drawn.min() < 2:
        raise UsageError("a resample of the clips has fewer than two frames")
    with threadpool_limits(1, user_api="blas"):
        target = np.asarray(reference, np.float64)
        target_mean = target.mean(axis=0)
        factor = gram_factor((target - target_mean) / np.sqrt(len(target) - 1.0))
        rows = np.concatenate([np.asarray(clip, np.float32) for clip in clips])
        centre = rows.mean(axis=0, dtype=np.float64)
        rows -= centre.astype(np.float32)
        centre = centre.astype(np.float32).astype(np.float64)
        basis = _leading(rows, factor, min(DIRECTIONS, int(np.sqrt(MOST_MOMENTS / len(clips)))))
        outer, inner = np.linalg.qr(factor.T @ basis)
        found = _parallel(lambda part: _moments(part, outer, inner), np.split(rows, np.cumsum(lengths)[:-1]))
        sums, squares, outside, first, second = (np.stack(column) for column in zip(*found, strict=True))

        weights = _with_undrawn(counts)
        frames = weights @ lengths
        means = weights @ sums / frames[:, None]
        spread = _variance(weights @ squares, (means * means).sum(axis=1), frames)
        gap = means + (centre - target_mean)
        shared = _shared(weights, first, second, frames)
        if basis.shape[1] < factor.shape[0]:
            inside = means @ outer
            rest = _variance(weights @ outside, (means * means).sum(axis=1) - (inside * inside).sum(axis=1), frames)
            total = ((gap[0] @ gap[0]) + spread[0] + float(np.vdot(factor, factor)) - point) / 2.0
            shared += max(0.0, total - shared[0]) * np.sqrt(rest / rest[0] if rest[0] > 0 else np.ones_like(rest))
    values = (gap * gap).sum(axis=1) + spread - 2.0 * shared
    return np.asarray(np.maximum(0.0, point + values[1:] - values[0]))


def resampled_kernel(clips: Sequence[Features], reference: Features, counts: Counts, *, point: float) -> Matrix:
    """:func:`penstock.metrics.frechet.kernel_distance` on resamples of the clips, over all pairs of frames.

    The sums of the kernel over the pairs of each two clips are taken once; a resample is a quadratic form in them.
    Kernels are float32, which moves values by some 1e-7 of the kernel's mean. Of more than 12,800 frames, as many are
    taken as that, evenly from every clip, and 4,096 of the reference: that moves no value's expectation and widens the
    spread slightly.

    Args:
        clips: float (n, d) each, n ≥ 1, finite, in the order of the sorted names.
        reference: float (m, d), m ≥ 2, finite.
        counts: (resamples, clips), of :func:`draw_clips`.
        point: the distance of all clips, each once.

    Returns:
        float64 (resamples,), finite.

    Raises:
        UsageError: a resample without two frames to pair: it drew nothing but copies of one clip of one frame.

    Example:
        >>> from penstock.metrics.frechet import kernel_distance
        >>> clips = np.random.default_rng(1).normal(size=(3, 10, 4))
        >>> reference = np.random.default_rng(2).normal(size=(20, 4))
        >>> point = kernel_distance(np.concatenate(clips), reference)
        >>> (each_once,) = resampled_kernel(list(clips), reference, np.array([[1, 1, 1]]), point=point)
        >>> bool(np.isclose(each_once, point))
        True
    """
    _lengths(clips, counts)
    scale = np.float32(1.0 / np.sqrt(reference.shape[1]))
    thinned = [np.asarray(clip, np.float32) * scale for clip in _thinned(clips, MOST_FRAMES)]
    (target,) = _thinned([reference], MOST_REFERENCE)
    target = np.asarray(target, np.float32) * scale
    lengths = np.array([len(clip) for clip in thinned])
    weights = _with_undrawn(counts)
    with threadpool_limits(1, user_api="blas"):
        blocks = _Blocks(np.concatenate(thinned), lengths, target, weights)
        parts = _parallel(blocks.sums, blocks.clips)
    within, across = (np.sum(column, axis=0) for column in zip(*parts, strict=True))
    frames = weights @ lengths
    twice = (weights * weights) @ (lengths * lengths)
    pairs = frames * frames - twice + weights @ (lengths * (lengths - 1))
    if pairs.min() < 1:
        raise UsageError("a resample of the clips has no two frames to pair")
    values = within / pairs - 2.0 * across / (frames * len(target))
    return np.asarray(point + values[1:] - values[0])


class _Blocks:
    """Kernel sums over the pairs of clips, some clips with all later ones at a time, weighted by every resample."""

    def __init__(self, rows: Features, lengths: Counts, target: Features, weights: Matrix) -> None:
        self._rows, self._target, self._weights = rows, target, weights
        self._begins = np.concatenate([[0], np.cumsum(lengths)])
        starts = np.unique(self._begins[:-1] // _BLOCK_FRAMES, return_index=True)[1]
        self.clips = [range(*pair) for pair in pairwise([*map(int, starts), len(lengths)])]
        """The clips of each block."""

    def sums(self, clips: range) -> tuple[Matrix, Matrix]:
        """For each resample: the kernel over pairs of a frame of these clips and one of them or of later clips (both
        ways round), and over pairs with the reference.
        """
        begins = self._begins[clips.start : clips.stop + 1]
        own = self._rows[begins[0] : begins[-1]]
        later = self._rows[begins[0] :]
        owner = np.repeat(np.arange(len(clips)), np.diff(begins))
        by_frame = _kernel_sums(own, later, owner)
        by_clip = np.add.reduceat(by_frame, self._begins[clips.start : -1] - begins[0], axis=1)
        diagonal = np.arange(len(clips))
        itself = by_clip[diagonal, diagonal] - np.bincount(owner, _self_kernel(own))
        by_clip[diagonal, diagonal] = 0.0
        by_clip[:, len(clips) :] *= 2.0
        mine = self._weights[:, clips.start : clips.stop]
        within = (mine * (self._weights[:, clips.start :] @ by_clip.T)).sum(axis=1) + mine @ itself
        return within, mine @ _kernel_sums(own, self._target, owner).sum(axis=1)


def _kernel_sums(left: Features, right: Features, owner: Counts) -> Matrix:
    """For each owner of rows of ``left`` and each row of ``right``, the sum of the kernel (rows are divided by √d)."""
    out = np.zeros((int(owner[-1]) + 1, len(right)))
    for begin in range(0, len(left), _BLOCK_FRAMES):
        part = slice(begin, begin + _BLOCK_FRAMES)
        kernel = left[part] @ right.T
        kernel += np.float32(1.0)
        cube = kernel * kernel
        cube *= kernel
        belongs = np.equal.outer(np.arange(len(out)), owner[part]).astype(np.float32)
        out += belongs @ cube
    return out


def _self_kernel(rows: Features) -> Matrix:
    """The kernel of each row with itself."""
    return np.asarray((np.einsum("ij,ij->i", rows, rows, dtype=np.float64) + 1.0) ** 3)


def _thinned(clips: Sequence[Features], most: int) -> list[Features]:
    """At most about ``most`` rows in all, evenly from every clip, at least one of each."""
    share = min(1.0, most / sum(len(clip) for clip in clips))
    kept = [max(1, round(len(clip) * share)) for clip in clips]
    return [clip[(np.arange(count) * len(clip)) // count] for clip, count in zip(clips, kept, strict=True)]


def _lengths(clips: Sequence[Features], counts: Counts) -> Counts:
    if counts.ndim != 2 or counts.shape[1] != len(clips) or not all(len(clip) for clip in clips):
        raise ValueError(f"counts of the shape {counts.shape} for {len(clips)} clips, each of at least one frame")
    return np.array([len(clip) for clip in clips], np.int64)


def _with_undrawn(counts: Counts) -> Matrix:
    """The counts, before them a row of ones: what the resamples are compared with."""
    return np.concatenate([np.ones((1, counts.shape[1])), counts])


def _leading(rows: Features, factor: Matrix, most: int) -> Matrix:
    """Orthonormal directions (r, k), k ≤ ``most``, in which ``factor covariance(rows) factorᵀ`` is largest; all of them
    where there are no more.

    Subspace iteration from a fixed start, on at most some 4,096 of the rows: what matters is that little is left
    outside, not which directions they are.
    """
    if factor.shape[0] <= most:
        return np.eye(factor.shape[0])
    seen = rows[:: -(-len(rows) // 4096)]
    left = factor.astype(np.float32)
    basis: Features = np.random.RandomState(0).standard_normal((factor.shape[0], most)).astype(np.float32)
    for _ in range(_ROUNDS):
        moved = left @ (seen.T @ (seen @ (left.T @ basis)))
        basis = np.linalg.qr(moved / np.abs(moved).max())[0] if moved.any() else basis
    return np.asarray(np.linalg.qr(basis.astype(np.float64))[0])


def _moments(rows: Features, outer: Matrix, inner: Matrix) -> tuple[Matrix, float, float, Matrix, Matrix]:
    """Of a clip: sum and sum of squares of its rows, the squares outside of ``outer``, and in the directions
    ``outer @ inner`` the sum and the second moments.
    """
    clip = rows.astype(np.float64)
    turned = clip @ outer
    square = float(np.vdot(clip, clip))
    kept = turned @ inner
    return clip.sum(axis=0), square, square - float(np.vdot(turned, turned)), kept.sum(axis=0), kept.T @ kept


def _variance(squares: Matrix, mean_squares: Matrix, frames: Matrix) -> Matrix:
    """Unbiased, from sums of squares and the squares of the means."""
    return np.asarray(np.maximum(0.0, squares - frames * mean_squares) / (frames - 1.0))


def _shared(weights: Matrix, first: Matrix, second: Matrix, frames: Matrix) -> Matrix:
    """``tr (Σa Σb)^½`` of each resample, from the clips' moments in directions scaled by the reference's spread."""
    clips, size = first.shape
    flat = second.reshape(clips, size * size)

    def roots(begin: int) -> Matrix:
        part = slice(begin, begin + _BLOCK_RESAMPLES)
        count = frames[part, None, None]
        mean = weights[part] @ first / frames[part, None]
        spread = (weights[part] @ flat).reshape(-1, size, size) - count * mean[:, :, None] * mean[:, None, :]
        return np.asarray(np.sqrt(np.maximum(np.linalg.eigvalsh(spread / (count - 1.0)), 0.0)).sum(axis=1))

    return np.concatenate(_parallel(roots, range(0, len(weights), _BLOCK_RESAMPLES)))


def _parallel(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results in the items' order, on all cores; NumPy's own threads are to be switched off."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="resample") as pool:
        return list(pool.map(work, items))
