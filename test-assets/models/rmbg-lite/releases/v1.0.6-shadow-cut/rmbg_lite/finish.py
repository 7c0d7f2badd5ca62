"""What is done to alpha after the network."""

from __future__ import annotations

import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

FLOOR, CEILING = 0.1, 0.88
"""A network never says quite 0 or 1: what is nearer than this becomes it."""
SOLID, HAZE = 0.9, 0.75
FOOT = 0.12
"""How far above its lowest solid row a subject's foot begins, as a share of the height."""


def finish(alpha: Floats, picture: Pixels) -> Floats:
    """Alpha, float32 ``(h, w)``, 0..1, of the picture, uint8 ``(h, w, 3)``."""
    sure = np.asarray(np.clip((alpha - FLOOR) / (CEILING - FLOOR), 0, 1), np.float32)
    solid = np.flatnonzero((sure > SOLID).any(axis=1))
    if len(solid):
        # Dust and haze at the foot of a subject are not wanted.
        foot = sure[max(0, int(solid[-1] - FOOT * len(picture))) :]
        foot[foot < HAZE] = 0
    return sure
