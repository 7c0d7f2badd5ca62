"""From sounds to the shape of a mouth: what lips do while a sound is said.

A shape is three numbers: `open` (0 closed, 1 as wide as speech gets), `width` (-1 pursed, 0 at rest, 1 spread) and
`round` (0 flat, 1 protruded and round). Neighbouring sounds colour each other (coarticulation) through a smoothing
that is centred in time, so that no lag is built in.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from training.speech import Phoneme

Shape = tuple[float, float, float]

REST: Shape = (0.0, 0.0, 0.0)

# (open, width, round); the keys are the IPA letters of the languages in `training.speech.LANGUAGES`.
_CLASSES: tuple[tuple[str, Shape], ...] = (
    ("p b m", (0.0, 0.0, 0.0)),
    ("f v β", (0.1, 0.15, 0.0)),
    ("t d n l s z ts dz θ ð ɾ ɲ ʎ ɬ", (0.22, 0.3, 0.0)),
    ("ʃ ʒ tʃ dʒ ç", (0.25, -0.35, 0.6)),
    ("k g ɡ ŋ h x ɣ χ ʔ q", (0.32, 0.0, 0.0)),
    ("r ɹ ʁ ʀ ɻ", (0.28, -0.15, 0.4)),
    ("w ɥ ʋ", (0.12, -0.7, 1.0)),
    ("j", (0.2, 0.6, 0.0)),
    ("i ɪ", (0.3, 0.9, 0.0)),
    ("y ʏ", (0.22, -0.7, 1.0)),
    ("e ɛ", (0.55, 0.6, 0.0)),
    ("ø œ", (0.45, -0.45, 0.8)),
    ("æ a", (0.95, 0.4, 0.0)),
    ("ɑ", (1.0, 0.05, 0.0)),
    ("ə ɐ ʌ ɚ ɜ ᵻ", (0.5, 0.05, 0.05)),
    ("ɔ ɒ", (0.75, -0.35, 0.6)),
    ("o", (0.5, -0.6, 0.85)),
    ("u ʊ", (0.22, -0.8, 1.0)),
)
_SHAPES: dict[str, Shape] = {symbol: shape for symbols, shape in _CLASSES for symbol in symbols.split()}
_VOWELS = frozenset("iɪyʏeɛøœæaɑəɐʌɚɜᵻɔɒouʊ")
_CLOSED = frozenset("pbm")
_UNKNOWN: Shape = (0.3, 0.1, 0.0)

_GRID_HZ = 200.0
_SMOOTHING_S = 0.030
_CLOSURE_SMOOTHING_S = 0.018


def shapes_of(symbol: str) -> list[Shape]:
    """The shapes that the mouth goes through in one sound: one, or two for a diphthong; rest for silence."""
    letters = [letter for letter in symbol if letter in _SHAPES]
    if not letters:
        return [REST] if not symbol.strip() else [_UNKNOWN]
    vowels = [letter for letter in letters if letter in _VOWELS]
    if vowels:
        return [_SHAPES[letter] for letter in vowels[:2]]
    return [_SHAPES.get(symbol, _SHAPES[letters[-1]])]


def mouth_track(phonemes: Sequence[Phoneme], frames: int, fps: float = 25.0) -> npt.NDArray[np.float32]:
    """The mouth's shape at the middle of each frame.

    Frame i shows the time `(i + 0.5) / fps`. Returns float32 `(frames, 3)`: open 0..1, width -1..1, round 0..1.
    """
    if frames <= 0:
        return np.zeros((0, 3), np.float32)
    end_s = frames / fps
    count = int(np.ceil(end_s * _GRID_HZ)) + 1
    times = (np.arange(count) + 0.5) / _GRID_HZ
    targets = np.zeros((count, 3))
    closure = np.zeros(count)
    for phoneme in phonemes:
        inside = (times >= phoneme.start_s) & (times < phoneme.end_s)
        if not inside.any():
            continue
        shapes = np.array(shapes_of(phoneme.symbol))
        along = (times[inside] - phoneme.start_s) / (phoneme.end_s - phoneme.start_s)
        if len(shapes) == 2:
            share = np.clip((along - 0.25) / 0.5, 0.0, 1.0)[:, None]
            targets[inside] = shapes[0] * (1 - share) + shapes[1] * share
        else:
            targets[inside] = shapes[0]
        if phoneme.symbol[:1] in _CLOSED and len(phoneme.symbol) <= 2:
            closure[inside] = 1.0
    smooth = gaussian_filter1d(targets, _SMOOTHING_S * _GRID_HZ, axis=0, mode="nearest")
    # Lips meet fully in p, b and m however fast the speech is: the opening alone is pulled shut there.
    shut = np.clip(1.3 * gaussian_filter1d(closure, _CLOSURE_SMOOTHING_S * _GRID_HZ, mode="nearest"), 0.0, 1.0)
    smooth[:, 0] *= 1.0 - shut
    at = (np.arange(frames) + 0.5) / fps
    track = np.stack([np.interp(at, times, smooth[:, k]) for k in range(3)], axis=1)
    return np.asarray(np.clip(track, (0.0, -1.0, 0.0), (1.0, 1.0, 1.0)), np.float32)


def defective(
    track: npt.NDArray[np.float32], *, damping: float = 1.0, lag: float = 0.0, smoothing: int = 1
) -> npt.NDArray[np.float32]:
    """The track as a worse model would move the lips.

    damping: factor on the movement about its mean (0.6 moves 40 % less). lag: frames by which a first-order
    causal filter trails, 0 for none. smoothing: width in frames of a centred mean. Same shape as `track`.
    """
    worse = track.astype(np.float64)
    if smoothing > 1:
        half = smoothing // 2
        padded = np.pad(worse, ((half, smoothing - 1 - half), (0, 0)), mode="edge")
        worse = np.stack([padded[i : i + len(worse)] for i in range(smoothing)]).mean(axis=0)
    if lag > 0:
        keep = lag / (1.0 + lag)
        for i in range(1, len(worse)):
            worse[i] = keep * worse[i - 1] + (1 - keep) * worse[i]
    mean = worse.mean(axis=0, keepdims=True)
    worse = mean + damping * (worse - mean)
    return np.asarray(worse, np.float32)
