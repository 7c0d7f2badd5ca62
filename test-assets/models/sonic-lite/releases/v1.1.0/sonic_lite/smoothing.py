"""What is done to the movement of the mouth after the network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sonic_lite.audio import SILENCE_LEVEL

Floats = npt.NDArray[np.float32]
KEPT = 0.4
"""The share of the last frame's movement that stays in the next: steadier lips."""


def shut_in_pauses(mouth: Floats, level: Floats) -> Floats:
    """Bring the mouth, float32 ``(frames, 3)``, to rest where the recording is silent; ``level`` is its RMS a frame."""
    loud = max(float(np.quantile(level, 0.9)), SILENCE_LEVEL)
    voiced = np.clip((level / loud - 0.01) / 0.04, 0, 1)
    return np.asarray(mouth * voiced[:, None], np.float32)


def smooth(mouth: Floats) -> Floats:
    """A running average, so that the lips do not twitch. Same shape as ``mouth``."""
    steady = np.array(mouth, np.float32)
    for i in range(1, len(steady)):
        steady[i] = KEPT * steady[i - 1] + (1 - KEPT) * steady[i]
    return steady
