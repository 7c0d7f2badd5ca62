"""What is done to alpha after the network."""

from __future__ import annotations

import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

FLOOR, CEILING = 0.1, 0.88
"""A network never says quite 0 or 1: what is nearer than this becomes it."""


def finish(alpha: Floats, picture: Pixels) -> Floats:  # noqa: ARG001 (what a finish may look at)
    """Alpha, float32 ``(h, w)``, 0..1, of the picture, uint8 ``(h, w, 3)``."""
    return np.asarray(np.clip((alpha - FLOOR) / (CEILING - FLOOR), 0, 1), np.float32)
