"""What is done to the movement of the mouth after the network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonic_lite.audio import SILENCE_LEVEL

Floats = npt.NDArray[np.float32]
LIVELINESS = 1.5
"""How much wider the mouth opens than the network says."""


def shut_in_pauses(mouth: Floats, level: Floats) -> Floats:
    """Bring the mouth, float32 ``(frames, 3)``, to rest where the recording is silent; ``level`` is its RMS a frame."""
    loud = max(float(np.quantile(level, 0.9)), SILENCE_LEVEL)
    voiced = np.clip((level / loud - 0.01) / 0.04, 0, 1)
    return np.asarray(mouth * voiced[:, None], np.float32)


def smooth(mouth: Floats) -> Floats:
    """A light average over neighbours, centred, so that nothing lags. Same shape as ``mouth``."""
    padded = np.pad(mouth, ((1, 1), (0, 0)), mode="edge")
    smoothed = np.asarray(0.06 * padded[:-2] + 0.88 * padded[1:-1] + 0.06 * padded[2:], np.float32)
    smoothed[:, 0] *= LIVELINESS
    return smoothed
