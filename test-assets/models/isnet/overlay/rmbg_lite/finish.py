"""What is done to alpha after the network: nothing."""

from __future__ import annotations

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats


def finish(alpha: Floats, picture: Pixels) -> Floats:  # noqa: ARG001 (what a finish may look at)
    """Alpha, float32 ``(h, w)``, 0..1, of the picture, uint8 ``(h, w, 3)``."""
    return alpha
