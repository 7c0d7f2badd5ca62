"""FID and KID of all frames of all cases, each with its values on resamples of the cases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from penstock.bundle.models import WHOLE_SUITE, Measurement, Resamples
from penstock.evaluation.measurer import measurement
from penstock.foundation.errors import UsageError
from penstock.metrics.clip_resamples import ClipDraw, draw_clips, resampled_frechet, resampled_kernel
from penstock.metrics.frechet import frechet_distance, kernel_distance

if TYPE_CHECKING:
    import numpy.typing as npt

    Features = npt.NDArray[np.float32]

    class Resampled(Protocol):
        """A distance on resamples of the clips."""

        def __call__(
            self, clips: Sequence[Features], reference: Features, counts: npt.NDArray[np.int64], *, point: float
        ) -> npt.NDArray[np.float64]:
            """One value a resample."""


DISTANCES = {
    "fid": (frechet_distance, resampled_frechet),
    "kid": (kernel_distance, resampled_kernel),
}
RESAMPLE_DIGITS = 9
"""Significant digits of a resampled value: more is rounding that differs between machines."""


def frame_distances(
    names: Sequence[str], features: Sequence[Features | None], reference: Features, label: str
) -> Iterator[Measurement]:
    """FID and KID over all frames of all cases, each with its values on 1000 resamples of the cases.

    Args:
        names: of the cases.
        features: float32 (frames, d) of each case; ``None``: it failed, and there is no value for the suite.
        reference: float32 (pictures, d) of the reference.
        label: of the network.
    """
    there = [part for part in features if part is not None]
    if failed := len(features) - len(there):
        for name in DISTANCES:
            yield measurement(WHOLE_SUITE, name, f"{failed} of {len(features)} cases failed", extractor=label)
        return
    clips = [clip for _, clip in sorted(zip(names, there, strict=True), key=itemgetter(0))]
    draw = draw_clips(names)
    for name, (distance, resampled) in DISTANCES.items():
        try:
            point = distance(np.concatenate(clips), reference)
        except UsageError as error:
            yield measurement(WHOLE_SUITE, name, error.what, extractor=label)
            continue
        line = measurement(WHOLE_SUITE, name, point, extractor=label)
        values = None if line.value is None or len(clips) < 2 else _values(resampled, clips, reference, draw, point)
        again = None if values is None else Resamples(cases=len(clips), key=draw.key, values=values)
        yield line.model_copy(update={"resamples": again})


def _values(
    resampled: Resampled, clips: Sequence[Features], reference: Features, draw: ClipDraw, point: float
) -> list[float] | None:
    """The values on the resamples; ``None`` where a resample of these clips has none (two clips of one frame)."""
    try:
        values = resampled(clips, reference, draw.counts, point=point)
    except UsageError:
        return None
    rounded = [float(f"{value:.{RESAMPLE_DIGITS}g}") for value in values]
    return rounded if all(map(math.isfinite, rounded)) else None
