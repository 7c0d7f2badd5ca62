"""Mel-frequency cepstral coefficients exactly as SyncNet was trained on them.
 Source: ``python_speech_features.mfcc`` 0.6 with its defaults (James Lyons, MIT), which the reference implementation of
SyncNet calls: 25 ms windows every 10 ms, rectangular, FFT of 512, pre-emphasis 0.97, 26 triangular filters from 0 Hz to
8 kHz, orthonormal DCT-II, 13 coefficients, lifter 22, the logarithm of the frame's energy in place of coefficient 0.
librosa's defaults differ.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError

SAMPLE_RATE = 16_000
COEFFICIENTS = 13
_WINDOW = 400
_STEP = 160
_FFT = 512
_FILTERS = 26
_PREEMPHASIS = 0.97
_LIFTER = 22
_BLOCK = 2_000
"""Windows worked on at a time: keeps ten minutes of sound under some 20 MB of scratch memory."""


def column_count(samples: int) -> int:
    """How many columns :func:`mfcc` returns for that many samples (at least 1).

    Example:
        >>> column_count(16_000)  # one second
        99
    """
    return 1 if samples <= _WINDOW else 1 + -(-(samples - _WINDOW) // _STEP)


def mfcc(audio: npt.NDArray[np.int16]) -> npt.NDArray[np.float32]:
    """MFCC of 16 kHz mono sound.

    Args:
        audio: int16 ``(n,)``, n >= 1, at 16 kHz. Floats in [-1, 1] are refused: they would shift coefficient 0 by
            20.79.

    Returns:
        float32 ``(13, T)`` with T = ``column_count(n)``, one column every 10 ms.

    Raises:
        UsageError: not int16, not one-dimensional, or empty.

    Example:
        >>> tone = (8000 * np.sin(2 * np.pi * 300 * np.arange(16_000) / 16_000)).astype(np.int16)
        >>> mfcc(tone).shape
        (13, 99)
    """
    if audio.dtype != np.int16 or audio.ndim != 1 or not audio.size:
        raise UsageError(
            f"MFCC needs int16 samples of shape (n,), not {audio.dtype} of shape {audio.shape}",
            todo="Decode the sound with penstock.media.read_audio.",
        )
    signal = np.empty(audio.size, np.float64)
    signal[0] = audio[0]
    signal[1:] = audio[1:] - _PREEMPHASIS * audio[:-1]
    columns = column_count(audio.size)
    signal = np.pad(signal, (0, (columns - 1) * _STEP + _WINDOW - audio.size))
    windows = np.lib.stride_tricks.sliding_window_view(signal, _WINDOW)[::_STEP]
    out = np.empty((COEFFICIENTS, columns), np.float32)
    for start in range(0, columns, _BLOCK):
        out[:, start : start + _BLOCK] = _cepstra(windows[start : start + _BLOCK]).T
    return out


def _cepstra(windows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Windows ``(m, 400)`` to liftered cepstra ``(m, 13)``."""
    tiny = np.finfo(np.float64).eps
    power = np.square(np.abs(np.fft.rfft(windows, _FFT))) / _FFT
    energy = power.sum(axis=1)
    mel = power @ _filter_bank().T
    cepstra: npt.NDArray[np.float64] = np.log(np.where(mel == 0, tiny, mel)) @ _cosines()
    cepstra[:, 0] = np.log(np.where(energy == 0, tiny, energy))
    return cepstra


@cache
def _cosines() -> npt.NDArray[np.float64]:
    """The first 13 columns of the orthonormal DCT-II of 26 values, each times its lifter: ``(26, 13)``."""
    order = np.arange(COEFFICIENTS)
    basis = np.cos(np.pi * np.outer(np.arange(_FILTERS) + 0.5, order) / _FILTERS) * np.sqrt(2 / _FILTERS)
    basis[:, 0] /= np.sqrt(2)
    lifted: npt.NDArray[np.float64] = basis * (1 + (_LIFTER / 2) * np.sin(np.pi * order / _LIFTER))
    return lifted


@cache
def _filter_bank() -> npt.NDArray[np.float64]:
    """The 26 triangles over the 257 bins of the FFT, with the reference's rounding of their corners to bins."""
    top = 2595 * np.log10(1 + (SAMPLE_RATE / 2) / 700.0)
    hertz = 700 * (10 ** (np.linspace(0, top, _FILTERS + 2) / 2595.0) - 1)
    corner = np.floor((_FFT + 1) * hertz / SAMPLE_RATE).astype(int)
    bank = np.zeros((_FILTERS, _FFT // 2 + 1))
    for row, (left, peak, right) in enumerate(zip(corner[:-2], corner[1:-1], corner[2:], strict=True)):
        bank[row, left:peak] = (np.arange(left, peak) - left) / max(peak - left, 1)
        bank[row, peak:right] = (right - np.arange(peak, right)) / max(right - peak, 1)
    return bank
