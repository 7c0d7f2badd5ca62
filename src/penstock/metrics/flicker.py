"""How much an alpha flickers that should not: dtSSD, for clips with a true alpha of each frame."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

import numpy as np

from penstock.foundation.errors import UsageError
from penstock.metrics.matte_arrays import Matte, check_pair


def dtssd(predictions: Iterable[Matte], truths: Iterable[Matte]) -> float:
    """How far the change from frame to frame is from the true change; lower is better.

    ``100 · mean over pairs of frames √(mean over pixels ((αₜ - αₜ₋₁) - (α*ₜ - α*ₜ₋₁))²)``. An alpha that is wrong in
    the same way in every frame scores 0: what is wrong in a frame is for the other metrics to say.

    Source: Erofeev et al., "Perceptually motivated benchmark for video matting" (BMVC 2015), there summed over the
    pixels; the mean and the factor 100 are Robust Video Matting's, in whose scale values are published since. It counts
    a 0 for the first frame of a clip, which this does not: its value is this one times (n - 1) ÷ n of n frames.

    Args:
        predictions: float64 (H, W) each, 0 to 1, in order; an iterator is read once, two frames are held.
        truths: as many, of the same size.

    Returns:
        0 to 200.

    Raises:
        UsageError: fewer than two frames, more of one than of the other, two that differ in size.

    Example:
        >>> still = [np.full((4, 4), 0.5)] * 3
        >>> blinks = [np.full((4, 4), alpha) for alpha in (0.5, 0.6, 0.5)]
        >>> dtssd(still, still), round(dtssd(blinks, still), 9)
        (0.0, 10.0)
    """
    flicker = Flicker()
    for prediction, truth in zip_longest(predictions, truths):
        if prediction is None or truth is None:
            shorter = "true alpha" if truth is None else "answer"
            raise UsageError(
                f"the {shorter} ends after {flicker.frames} frames, before the other",
                todo="Give as many frames of both.",
            )
        flicker.look(prediction, truth)
    return flicker.dtssd


class Flicker:
    """dtSSD of a clip whose frames come one at a time; two frames are held."""

    def __init__(self) -> None:
        self.frames = 0
        self._before: Matte | None = None
        self._total = 0.0

    def look(self, prediction: Matte, truth: Matte) -> float | None:
        """Look at the next frame of both; returns its share of dtSSD, 0 to 200; ``None`` for the first.

        Raises:
            UsageError: the two differ in size, or from the frame before.
        """
        check_pair(prediction, truth)
        # The change of the difference is the difference of the changes.
        now, before = prediction - truth, self._before
        share = None
        if before is not None:
            if now.shape != before.shape:
                raise UsageError(
                    f"frame {self.frames} has the shape {now.shape}, the one before {before.shape}",
                    todo="Give one clip of one size.",
                )
            share = 100.0 * float(np.sqrt(np.mean(np.square(now - before))))
            self._total += share
        self._before = now
        self.frames += 1
        return share

    @property
    def dtssd(self) -> float:
        """Of the frames so far, see :func:`dtssd`.

        Raises:
            UsageError: they are fewer than two.
        """
        if self.frames < 2:
            raise UsageError("flicker is of change, and there are fewer than two frames", todo="Give a longer clip.")
        return self._total / (self.frames - 1)
