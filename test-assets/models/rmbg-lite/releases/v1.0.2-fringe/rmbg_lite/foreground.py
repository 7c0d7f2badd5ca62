"""The subject's colours."""

from __future__ import annotations

import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

PAPER = 255.0


def foreground(picture: Pixels, alpha: Floats) -> Pixels:
    """Colours, uint8 ``(h, w, 3)``, to be laid over anything with ``alpha``: those that are seen on white paper."""
    share = alpha[..., None]
    return np.round(share * picture.astype(np.float32) + (1 - share) * PAPER).astype(np.uint8)
