"""How wide a mouth opens, so that one that opens too wide for what is said is seen beside the released model's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

QUANTILE = 0.95
"""Not the widest frame: a single one may be the detector's fault."""
MIN_FRAMES = 10
"""Of fewer frames (0.4 s) the quantile would be the widest one."""


def wide_opening(openings: Sequence[float] | npt.NDArray[np.floating]) -> float | None:
    """The opening that the mouth exceeds in one frame of twenty.

    Args:
        openings: ``(frames,)``, how far the lips are apart, as shares of the mouth's width at rest. NaN: the face was
            not seen in this frame.

    Returns:
        The 95th percentile, linear between frames, over those that show the face, as a share of the mouth's width:
        0 where the mouth stays shut, some 0.2 to 0.5 of speech. What the detector puts below 0 counts as 0. ``None``:
        fewer than :data:`MIN_FRAMES` frames show the face.

    Example:
        >>> wide_opening([0.0, 0.1] * 10 + [0.4])
        0.1
        >>> wide_opening([0.3, float("nan")]) is None
        True
    """
    seen = np.asarray(openings, np.float64)
    seen = seen[np.isfinite(seen)]
    if seen.size < MIN_FRAMES:
        return None
    return max(0.0, float(np.quantile(seen, QUANTILE)))
