"""A running median, as the reference implementation of SyncNet smooths boxes and confidences with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def median_filter(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    """Median of the ``width`` values around each one; beyond the ends are zeros, as in ``scipy.signal.medfilt``.

    Args:
        values: float64 ``(n,)``, n >= 1.
        width: odd. For fewer values than that, the largest odd number that is not more than n is taken: zeros would win
            otherwise.

    Example:
        >>> median_filter(np.array([1.0, 2.0, 9.0, 4.0, 5.0]), 3).tolist()
        [1.0, 2.0, 4.0, 5.0, 4.0]
    """
    width = min(width, (len(values) - 1) // 2 * 2 + 1)
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, width // 2), width)
    out: npt.NDArray[np.float64] = np.median(windows, axis=1)
    return out
