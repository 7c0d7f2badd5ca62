"""Whether there is anything to hear."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SILENT_DBFS = -70.0
"""Below this, everywhere, sound is silent: speech lies between -40 and -10, the noise of a quiet room at about -60,
the least step of 16-bit sound at -90 (of 8-bit mu-law, the largest that is on offer, at -72)."""
STRETCH_SAMPLES = 640
"""Loudness is taken over stretches of a frame of 40 ms at 16 kHz, so that one word in a long recording counts."""
SILENT = f"the sound is silent: nothing in it is louder than {SILENT_DBFS:.0f} dBFS"


def is_silent(sound: npt.NDArray[np.int16]) -> bool:
    """Whether no stretch of 40 ms is louder than -70 dBFS: the root mean square about its own mean, against full scale.

    Args:
        sound: int16 ``(n,)``, 16 kHz mono.
    """
    if not sound.size:
        return True
    loudest = max(
        float(part.std()) for part in np.split(sound, range(STRETCH_SAMPLES, sound.size, STRETCH_SAMPLES)) if part.size
    )
    return loudest < 32_768 * 10 ** (SILENT_DBFS / 20)
