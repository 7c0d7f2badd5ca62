"""What a quality score is good for: telling what is out of distribution, and what had better be discarded.

Quality is high for what can be used. The positive class is *out of distribution*, and an image is taken for that where
its quality is at most a threshold: scikit-learn's ``roc_curve(ood, -quality)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]

BANDS: Mapping[str, float] = {"pass": 0.8, "mark": 0.6, "retry": 0.4, "refuse": 0.0}
"""Band → its least quality; the band above begins where it ends."""


def auroc(quality: Numbers, ood: Flags) -> float:
    """Area under the ROC curve: how often an image out of distribution has the lower quality of two, ties half.

    Args:
        quality: float (n,), finite.
        ood: bool (n,), some true and some false.

    Example:
        >>> auroc(np.array([0.9, 0.7, 0.7, 0.1]), np.array([False, False, True, True]))
        0.875
    """
    inside = np.sort(quality[~ood])
    found = quality[ood]
    below = np.searchsorted(inside, found, side="left").sum()
    up_to = np.searchsorted(inside, found, side="right").sum()
    return float(1.0 - (int(below) + int(up_to)) / (2 * len(found) * len(inside)))


def fpr95(quality: Numbers, ood: Flags) -> float:
    """Share of the images in distribution that are lost where at least 95 % of those out of it are found.

    ``fpr[argmax(tpr >= 0.95)]`` of scikit-learn's ``roc_curve(ood, -quality, drop_intermediate=False)``, as OpenOOD has
    it.

    Args:
        quality: float (n,), finite.
        ood: bool (n,), some true and some false.

    Example:
        >>> fpr95(np.array([0.9, 0.7, 0.7, 0.1]), np.array([False, False, True, True]))
        0.5
    """
    found = np.sort(quality[ood])
    threshold = found[-(-19 * len(found) // 20) - 1]
    inside = quality[~ood]
    return int(np.count_nonzero(inside <= threshold)) / len(inside)


def accepted_ood95(quality: Numbers, ood: Flags) -> float:
    """Share of the images out of distribution that pass where at least 95 % of those in it do.

    The same question from the other side (ODIN's "FPR at 95 % TPR", whose positive class is *in* distribution).

    Example:
        >>> accepted_ood95(np.array([0.9, 0.7, 0.7, 0.1]), np.array([False, False, True, True]))
        0.5
    """
    return fpr95(-quality, ~ood)


@dataclass(frozen=True)
class DiscardCurve:
    """The error of what is kept, against the share that is discarded (the error-versus-discard curve, ISO/IEC 29794-1).

    Images of equal quality are discarded together, so that the curve has steps: a value holds from its share up to the
    next.

    Attributes:
        discarded: float64 (k,), from 0, ascending, below 1.
        error: float64 (k,): mean error of the images that are kept.
        quality: float64 (k,): the least quality that is kept.
    """

    discarded: npt.NDArray[np.float64]
    error: npt.NDArray[np.float64]
    quality: npt.NDArray[np.float64]

    @property
    def area(self) -> float:
        """The area under the curve, from 0 to 1; lower is better, the mean error where quality tells nothing."""
        return float(np.dot(np.diff(self.discarded, append=1.0), self.error))

    def at(self, share: float) -> float:
        """The error where at most ``share`` is discarded."""
        return float(self.error[int(np.searchsorted(self.discarded, share, side="right")) - 1])

    def thinned(self, most: int) -> DiscardCurve:
        """At most ``most`` of its points, the first and the last among them."""
        kept = np.unique(np.round(np.linspace(0, len(self.discarded) - 1, most)).astype(np.int64))
        return DiscardCurve(self.discarded[kept], self.error[kept], self.quality[kept])


def discard_curve(quality: Numbers, error: Numbers) -> DiscardCurve:
    """Discard what has the lowest quality, step by step, and see what is left.

    With errors of 0 and 1, whether a genuine comparison fails at a fixed threshold, the mean error is the FNMR. Of a
    comparison, quality is the lower one of its two images.

    Args:
        quality: float (n,), n ≥ 1, finite.
        error: float (n,), from -1e9 to 1e9: their sum must be a number.

    Example:
        >>> curve = discard_curve(np.array([0.1, 0.5, 0.5, 0.9]), np.array([1.0, 1.0, 0.0, 0.0]))
        >>> curve.discarded.tolist(), curve.error.round(4).tolist(), curve.area
        ([0.0, 0.25, 0.75], [0.5, 0.3333, 0.0], 0.29166666666666663)
    """
    order = np.argsort(quality, kind="stable")
    sorted_quality = np.asarray(quality, np.float64)[order]
    count = len(order)
    first = np.flatnonzero(np.append(True, sorted_quality[1:] != sorted_quality[:-1]))
    left = np.cumsum(np.asarray(error, np.float64)[order][::-1])[::-1]
    return DiscardCurve(first / count, left[first] / (count - first), sorted_quality[first])


def band_calibration(quality: Numbers, ood: Flags) -> float:
    """How far the quality score is from the share of images in distribution, band by band; lower is better.

    The expected calibration error with the four bands for bins: the mean over images of how far
    the share in distribution in their band is from the band's mean quality.

    Args:
        quality: float (n,), n ≥ 1, from 0 to 1.
        ood: bool (n,).

    Example:
        >>> band_calibration(np.array([0.75, 0.75, 0.5, 0.5]), np.array([False, False, False, True]))
        0.125
    """
    gaps = np.bincount(band_of(quality), (~ood).astype(np.float64) - np.asarray(quality, np.float64), len(BANDS))
    return float(np.abs(gaps).sum() / len(quality))


def band_counts(quality: Numbers) -> dict[str, int]:
    """How many images fall into each band; a bound belongs to the band above it.

    Args:
        quality: float (n,), from 0 to 1.

    Example:
        >>> band_counts(np.array([0.8, 0.79, 0.4, 0.39, 1.0]))
        {'pass': 2, 'mark': 1, 'retry': 1, 'refuse': 1}
    """
    of = band_of(quality)
    return {name: int(np.count_nonzero(of == number)) for number, name in enumerate(BANDS)}


def band_of(quality: Numbers) -> npt.NDArray[np.intp]:
    """The band of each image, as its place in :data:`BANDS`.

    Example:
        >>> band_of(np.array([0.9, 0.4, 0.0])).tolist()
        [0, 2, 3]
    """
    ascending = np.array(list(BANDS.values())[-2::-1])
    return np.asarray(len(ascending) - np.searchsorted(ascending, quality, side="right"))
