"""Which sound the network hears when it speaks about a frame."""

from __future__ import annotations

import numpy as np

from sonic_lite.audio import BANDS, COLUMNS_A_FRAME, Features

CONTEXT_FRAMES = 3
"""The network hears twice this many frames, the last of them the one that it speaks about."""
CONTEXT_COLUMNS = 2 * CONTEXT_FRAMES * COLUMNS_A_FRAME + 1
INPUTS = CONTEXT_COLUMNS * BANDS


def windows(columns: Features, frames: int) -> Features:
    """The columns up to each frame, one row a frame: float32 ``(frames, INPUTS)``.

    Frame i is shown from 40 * i to 40 * i + 40 ms: its middle is column ``4 * i + 2``.
    """
    reach = CONTEXT_FRAMES * COLUMNS_A_FRAME
    # Causal: live, the sound after this frame is not there yet.
    padded = np.pad(columns, ((2 * reach, 0), (0, 0)), mode="edge")
    starts = np.arange(frames) * COLUMNS_A_FRAME + COLUMNS_A_FRAME // 2
    return np.asarray(padded[starts[:, None] + np.arange(CONTEXT_COLUMNS)].reshape(frames, -1), np.float32)
