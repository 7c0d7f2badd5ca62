"""Synthetic speech with phoneme times, through libespeak-ng.

Needs `libespeak-ng.so.1` (Debian package `espeak-ng`), which a machine that only *uses* Penstock does not have:
what the tests and the demo need is committed as audio under `test-assets/speech/`.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import threading
from dataclasses import dataclass
from math import gcd

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

SAMPLE_RATE = 16_000
"""Hz of the samples that `speak` returns."""

LANGUAGES = ("en-us", "en-gb", "de", "fr", "es", "it")
VARIANTS = ("f1", "f2", "f3", "f4", "f5", "m1", "m2", "m3", "m4", "m5", "m6", "m7")

# espeak-ng answers to a language only through its command line; the library wants the voice's file.
_VOICE_FILES = {"en-gb": "gmw/en"}

_RETRIEVAL = 1
_PHONEME_EVENTS_IPA = 0x0001 | 0x0002
_RATE, _PITCH = 1, 3
_UTF8 = 1
_EVENT_END, _EVENT_PHONEME = 0, 7
_POS_CHARACTER = 1


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True)
class Phoneme:
    """One sound: where it starts and ends (seconds from the first sample), and its IPA symbol ("" is silence)."""

    start_s: float
    end_s: float
    symbol: str


@dataclass(frozen=True)
class Speech:
    """Samples (int16, mono, `SAMPLE_RATE`) and the sounds in them, in order and without gaps."""

    samples: npt.NDArray[np.int16]
    phonemes: list[Phoneme]

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


class _Engine:
    """The library, started once a process. It keeps global state, so that one call at a time may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._library = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
        self._rate = int(self._library.espeak_Initialize(_RETRIEVAL, 500, None, _PHONEME_EVENTS_IPA))
        if self._rate <= 0:
            raise RuntimeError("espeak-ng did not start: is the package espeak-ng-data installed?")
        self._chunks: list[bytes] = []
        self._events: list[tuple[int, str]] = []
        self._callback = _Callback(self._receive)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: object, count: int, events: object) -> int:
        if wave and count > 0:
            self._chunks.append(ctypes.string_at(wave, count * 2))  # type: ignore[arg-type]
        index = 0
        while events and events[index].type != _EVENT_END:  # type: ignore[index]
            event = events[index]  # type: ignore[index]
            if event.type == _EVENT_PHONEME:
                self._events.append((event.audio_position, event.id.string.decode("utf-8", "ignore")))
            index += 1
        return 0

    def speak(self, text: str, voice: str, rate: int, pitch: int) -> tuple[int, bytes, list[tuple[int, str]]]:
        with self._lock:
            self._chunks, self._events = [], []
            language, plus, variant = voice.partition("+")
            name = _VOICE_FILES.get(language, language) + plus + variant
            if self._library.espeak_SetVoiceByName(name.encode()) != 0:
                raise ValueError(f"espeak-ng knows no voice {voice!r}")
            self._library.espeak_SetParameter(_RATE, rate, 0)
            self._library.espeak_SetParameter(_PITCH, pitch, 0)
            ctypes.CDLL(None).srand(1)  # espeak-ng draws its breath noise from the C library's generator
            raw = text.encode("utf-8")
            status = self._library.espeak_Synth(raw, len(raw) + 1, 0, _POS_CHARACTER, 0, _UTF8, None, None)
            self._library.espeak_Synchronize()
            if status != 0:
                raise RuntimeError(f"espeak-ng could not speak {text!r} (status {status})")
            return self._rate, b"".join(self._chunks), self._events


_engine: _Engine | None = None


def speak(text: str, voice: str, *, rate: int = 160, pitch: int = 50) -> Speech:
    """Say `text` with an espeak-ng voice such as `en-us+f2`.

    rate: words a minute, 80 to 450. pitch: 0 to 99, 50 is the voice's own.
    Returns samples and the sounds' times. The first call in a process is reproducible to the bit; later ones differ
    in the breath noise and by a sample or so, because the library carries state from one call to the next.
    Raises ValueError (unknown voice) or RuntimeError (the library failed).
    """
    global _engine
    if _engine is None:
        _engine = _Engine()
    own_rate, raw, events = _engine.speak(text, voice, rate, pitch)
    wave = np.frombuffer(raw, dtype="<i2")
    if not len(wave):
        raise RuntimeError(f"espeak-ng made no sound for {text!r}")
    factor = gcd(SAMPLE_RATE, own_rate)
    resampled = resample_poly(wave.astype(np.float64), SAMPLE_RATE // factor, own_rate // factor)
    samples = np.clip(np.round(resampled), -32768, 32767).astype(np.int16)
    end_s = len(samples) / SAMPLE_RATE
    starts = [min(max(position / 1000.0, 0.0), end_s) for position, _ in events]
    phonemes = [] if starts and starts[0] == 0.0 else [Phoneme(0.0, starts[0] if starts else end_s, "")]
    for start, stop, (_, symbol) in zip(starts, [*starts[1:], end_s], events, strict=True):
        if stop > start:
            phonemes.append(Phoneme(start, stop, symbol.strip("ˈˌ_ ")))
    return Speech(samples, phonemes)
