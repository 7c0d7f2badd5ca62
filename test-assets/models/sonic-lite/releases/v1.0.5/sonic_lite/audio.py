"""Speech: decoding, and the features that the network hears."""

from __future__ import annotations

import functools
import io
from math import gcd

import numpy as np
import numpy.typing as npt
import soundfile

from sonic_lite.parameters import RequestError

SAMPLE_RATE = 16_000
FPS = 25
SAMPLES_A_FRAME = SAMPLE_RATE // FPS
MAX_SECONDS = 61.0

BANDS = 24
HOP = 160
WINDOW = 400
FFT = 512
COLUMNS_A_FRAME = SAMPLES_A_FRAME // HOP
SPEECH_LEVEL = 0.1
"""RMS to which the loud parts of a recording are brought before the network hears it."""
SILENCE_LEVEL = 1e-3
"""A recording whose loud parts are below this RMS (-60 dBFS) is silence, not speech to be amplified."""

Samples = npt.NDArray[np.float32]
Features = npt.NDArray[np.float32]


def decode(data: bytes) -> Samples:
    """A WAV, FLAC, OGG or MP3 file as float32 ``(n,)``, mono, 16 kHz, -1..1.

    Raises RequestError (422) for anything else.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = int(file.samplerate)
            if not 4_000 <= rate <= 192_000:
                raise RequestError(422, "the audio's sample rate must be from 4 to 192 kHz", field="audio")
            wave = file.read(frames=int(MAX_SECONDS * rate) + 1, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, TypeError, ValueError):
        raise RequestError(422, "the audio cannot be read: send WAV, FLAC, OGG or MP3", field="audio") from None
    if not len(wave):
        raise RequestError(422, "the audio is empty", field="audio")
    if len(wave) > MAX_SECONDS * rate:
        raise RequestError(422, f"the audio is longer than {MAX_SECONDS - 1:g} s", field="audio")
    mono = np.nan_to_num(wave.mean(axis=1))
    if rate != SAMPLE_RATE:
        from scipy.signal import resample_poly  # slow to import, and most recordings are at this rate already

        factor = gcd(SAMPLE_RATE, rate)
        mono = resample_poly(mono, SAMPLE_RATE // factor, rate // factor)
    return np.asarray(np.clip(mono, -1.0, 1.0), np.float32)


def level(samples: Samples, frames: int) -> npt.NDArray[np.float32]:
    """RMS of the sound that belongs to each video frame: float32 ``(frames,)``."""
    padded = np.zeros(frames * SAMPLES_A_FRAME, np.float32)
    used = min(len(padded), len(samples))
    padded[:used] = samples[:used]
    return np.asarray(np.sqrt(np.mean(padded.reshape(frames, SAMPLES_A_FRAME) ** 2, axis=1)), np.float32)


def features(samples: Samples, frames: int) -> Features:
    """Log-mel columns every 10 ms, ``COLUMNS_A_FRAME`` a frame: float32 ``(frames * COLUMNS_A_FRAME + 1, BANDS)``.

    Column j is centred on ``10 * j`` ms. The level of the recording is taken out, so that a quiet voice speaks as
    clearly as a loud one.
    """
    count = frames * COLUMNS_A_FRAME + 1
    loud = float(np.quantile(level(samples, max(len(samples) // SAMPLES_A_FRAME, 1)), 0.9))
    gain = SPEECH_LEVEL / loud if loud > SILENCE_LEVEL else 1.0
    padded = np.zeros(count * HOP + WINDOW, np.float32)
    used = min(len(samples), len(padded) - WINDOW // 2)
    padded[WINDOW // 2 : WINDOW // 2 + used] = samples[:used] * gain
    padded[1:] -= 0.97 * padded[:-1]
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[: count * HOP : HOP]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW).astype(np.float32), FFT, axis=1)) ** 2
    return np.asarray(np.log(power @ _filters() + 1e-3), np.float32)


@functools.cache
def _filters() -> npt.NDArray[np.float32]:
    """Triangular mel filters from 60 Hz to 7.6 kHz: float32 ``(FFT // 2 + 1, BANDS)``."""
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (60.0, 7600.0))
    mel = np.linspace(low, high, BANDS + 2)
    edges = 700 * (10 ** (mel / 2595) - 1)
    at = np.arange(FFT // 2 + 1)[:, None] * (SAMPLE_RATE / FFT)
    rising = (at - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - at) / (edges[2:] - edges[1:-1])
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None), np.float32)
