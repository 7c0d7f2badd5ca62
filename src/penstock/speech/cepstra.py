"""The features that CMU Sphinx's acoustic models hear: 13 mel cepstra every 10 ms, with two differences over time.

As SphinxBase computes them with the settings of PocketSphinx's model ``en-us`` (``feat.params``), but for its noise
removal, which carries state: 25.6 ms Hamming windows, pre-emphasis 0.97, 25 mel bands of unit area from 130 to 6800 Hz,
a unitary DCT, lifter 22, the mean of the recording taken out.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RATE = 16_000
"""Hz of the sound."""
FRAME_S = 0.01
"""Seconds from one frame to the next."""
STREAMS = 3
"""Cepstra, their first difference, their second."""
COEFFICIENTS = 13
_SHIFT = 160
_WINDOW = 410
_FFT = 512
_BANDS = 25
_LOW_HZ, _HIGH_HZ = 130.0, 6800.0
_LIFTER = 22
_HISS = 20.0
"""Standard deviation, in steps of 16-bit sound, of the white noise whose energy is added to every band: -64 dBFS. The
model has heard rooms, never the digital silence between the words of a synthesiser."""


def features(sound: npt.NDArray[np.int16]) -> Floats:
    """The features of a recording.

    Args:
        sound: int16 ``(n,)``, 16 kHz, mono.

    Returns:
        float64 ``(frames, 3, 13)``, a frame for each 10 ms whose window lies in the sound; none of a sound shorter than
        25.6 ms.

    Example:
        >>> features(np.zeros(16_000, np.int16)).shape
        (98, 3, 13)
    """
    count = max(0, 1 + (sound.size - _WINDOW) // _SHIFT) if sound.size >= _WINDOW else 0
    if not count:
        return np.zeros((0, STREAMS, COEFFICIENTS))
    wave = sound.astype(np.float64)
    wave = np.concatenate([wave[:1], wave[1:] - 0.97 * wave[:-1]])
    windows = np.lib.stride_tricks.sliding_window_view(wave, _WINDOW)[::_SHIFT][:count]
    spectrum = np.abs(np.fft.rfft(windows * np.hamming(_WINDOW), _FFT)) ** 2
    cepstra = np.log((spectrum + _hiss()) @ _mel_filters().T) @ _transform().T
    cepstra -= cepstra.mean(axis=0)
    padded = np.pad(cepstra, ((3, 3), (0, 0)), mode="edge")

    def moved(by: int) -> Floats:
        return padded[3 + by : 3 + by + count]

    first = moved(2) - moved(-2)
    second = (moved(3) - moved(-1)) - (moved(1) - moved(-3))
    return np.stack([cepstra, first, second], axis=1)


@cache
def _hiss() -> float:
    """What white noise of :data:`_HISS` adds to each bin of the power spectrum, in the mean."""
    return float(_HISS**2 * (np.hamming(_WINDOW) ** 2).sum())


@cache
def _mel_filters() -> Floats:
    """Triangles over the bins of the spectrum, their corners at bins, each of area 1: ``(bands, 257)``."""
    step = RATE / _FFT
    low, high = _mel(_LOW_HZ), _mel(_HIGH_HZ)
    corners = 700.0 * (10.0 ** (np.linspace(low, high, _BANDS + 2) / 2595.0) - 1.0)
    corners = np.round(corners / step) * step
    at = np.arange(_FFT // 2 + 1) * step
    left, middle, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (at - left) / (middle - left), (right - at) / (right - middle)
    return np.asarray(np.clip(np.minimum(rising, falling), 0.0, None) * 2.0 / (right - left))


def _mel(hertz: float) -> float:
    return float(2595.0 * np.log10(1.0 + hertz / 700.0))


@cache
def _transform() -> Floats:
    """The DCT and the lifter: ``(13, bands)``."""
    order, band = np.arange(COEFFICIENTS)[:, None], np.arange(_BANDS)[None, :]
    cosines = np.cos(np.pi * order * (band + 0.5) / _BANDS) * np.sqrt(2.0 / _BANDS)
    cosines[0] = np.sqrt(1.0 / _BANDS)
    lifter = 1.0 + _LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / _LIFTER)
    return np.asarray(cosines * lifter[:, None])
