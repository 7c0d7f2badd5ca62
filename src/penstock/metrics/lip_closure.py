"""Whether lips meet where a sound asks for it: /p/, /b/ and /m/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.speech.sounds import BILABIALS, Sound

CLOSED = 0.04
"""Lips that are this far apart, as a share of the mouth's width, or less, are closed (``docs/metrics.md`` has the
errors of the detector at this bound)."""
REACH_S = 0.03
"""Lips may meet this much before the sound begins or after it ends: as much as its times are unsure, and most of a
frame."""


@dataclass(frozen=True)
class Closure:
    """One sound for which lips should meet.

    Attributes:
        symbol: ``P``, ``B`` or ``M``.
        start_s: where it begins, in seconds from the first frame.
        end_s: where it ends.
        opening: the least opening while it lasts, as a share of the mouth's width.
        closed: whether that is none.
    """

    symbol: str
    start_s: float
    end_s: float
    opening: float
    closed: bool


def closures(
    openings: Sequence[float] | npt.NDArray[np.floating], sounds: Sequence[Sound], *, fps: float
) -> list[Closure]:
    """Look at each /p/, /b/ and /m/ whether the lips meet.

    Args:
        openings: ``(frames,)``, as shares of the mouth's width; frame i shows the time ``(i + 0.5) / fps``. NaN: the
            face was not seen.
        sounds: all sounds of the speech, in seconds from the first frame.
        fps: frames a second.

    Returns:
        In order; sounds during which no frame shows the face are left out.

    Example:
        >>> [found] = closures([0.2, 0.0, 0.3], [Sound("B", 0.04, 0.08), Sound("AA", 0.08, 0.12)], fps=25)
        >>> found.closed
        True
    """
    values = np.asarray(openings, np.float64)
    times = (np.arange(len(values)) + 0.5) / fps
    found: list[Closure] = []
    for sound in sounds:
        if sound.symbol not in BILABIALS:
            continue
        inside = values[(times >= sound.start_s - REACH_S) & (times <= sound.end_s + REACH_S)]
        inside = inside[np.isfinite(inside)]
        if inside.size:
            least = float(inside.min())
            found.append(Closure(sound.symbol, sound.start_s, sound.end_s, least, least <= CLOSED))
    return found
