"""How well each sound of English fits each moment of a recording, by PocketSphinx's acoustic model ``en-us``.

Of the model only its context-independent states are used, three a sound: each is a mixture of its sound's 128 Gaussians
in each of the three streams of :mod:`penstock.speech.cepstra`. The files come with the package ``pocketsphinx``, and
are read as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import WorldError
from penstock.speech.cepstra import COEFFICIENTS, STREAMS

Floats = npt.NDArray[np.float64]

STATES = 3
"""Of a sound, one after the other."""
_GAUSSIANS = 128
_BYTE_ORDER = 0x11223344
_WEIGHT_STEP = 1024 * float(np.log(1.0001))
"""Natural logarithms a step of a mixture weight: they are stored in steps of 1024 of the base 1.0001."""
_LEAST_VARIANCE = 1e-4


@dataclass(frozen=True)
class AcousticModel:
    """The model, read.

    Attributes:
        sounds: symbol → its number.
        means: float64 ``(sounds, streams, gaussians, 13)``.
        precisions: one over the variance, of the same shape.
        offsets: logarithm of each Gaussian's height, ``(sounds, streams, gaussians)``.
        weights: logarithm of the mixtures' weights, ``(streams, gaussians, sounds * states)``.
    """

    sounds: dict[str, int]
    means: Floats
    precisions: Floats
    offsets: Floats
    weights: Floats

    def scores(self, features: Floats, symbols: Sequence[str]) -> Floats:
        """Logarithm of the likelihood of each frame in each state of these sounds.

        Args:
            features: float64 ``(frames, 3, 13)``.
            symbols: of sounds.

        Returns:
            float64 ``(frames, len(symbols), 3)``.
        """
        found = np.empty((len(features), len(symbols), STATES))
        for column, symbol in enumerate(symbols):
            sound = self.sounds[symbol]
            weights = self.weights[:, :, sound * STATES : (sound + 1) * STATES]
            total = np.zeros((len(features), STATES))
            for stream in range(STREAMS):
                x, precision = features[:, stream], self.precisions[sound, stream]
                mean = self.means[sound, stream]
                distance = x**2 @ precision.T - 2 * x @ (mean * precision).T + (mean**2 * precision).sum(axis=1)
                heights = self.offsets[sound, stream] - 0.5 * distance
                top = heights.max(axis=1, keepdims=True)
                total += np.log(np.exp(heights - top) @ np.exp(weights[stream]) + 1e-300) + top
            found[:, column] = total
        return found


def model_folder() -> Path:
    """Where the package ``pocketsphinx`` keeps its English model.

    Raises:
        WorldError: the package is not installed.
    """
    try:
        import pocketsphinx
    except ImportError as error:
        raise WorldError(
            "PocketSphinx, which knows the sounds of English, is not installed",
            todo="Install it: pip install 'penstock[speech]'.",
        ) from error
    return Path(pocketsphinx.get_model_path()) / "en-us"


@cache
def english_model() -> AcousticModel:
    """PocketSphinx's model of American English.

    Raises:
        WorldError: the package is not installed, or its model is not the one that is known here.
    """
    folder = model_folder() / "en-us"
    try:
        names = _sounds(folder / "mdef")
        means = _gaussians(folder / "means", len(names))
        variances = np.maximum(_gaussians(folder / "variances", len(names)), _LEAST_VARIANCE)
        weights = _weights(folder / "sendump")
    except (OSError, ValueError, IndexError) as error:
        raise WorldError(f"the English model of PocketSphinx cannot be read: {error}", where=str(folder)) from error
    offsets = -0.5 * (np.log(variances).sum(axis=3) + COEFFICIENTS * np.log(2 * np.pi))
    return AcousticModel(
        {name: number for number, name in enumerate(names)},
        means,
        1 / variances,
        offsets,
        weights[:, :, : 3 * len(names)],
    )


def _sounds(file: Path) -> list[str]:
    """The names of the sounds, from the binary model definition."""
    raw = file.read_bytes()
    if raw[:4] not in (b"BMDF", b"FDMB"):
        raise ValueError(f"{file.name} is no binary model definition")
    version, described = np.frombuffer(raw, "<i4", 2, 4)
    if version != 1:
        raise ValueError(f"{file.name} has version {version}")
    head = 12 + int(described)
    count = int(np.frombuffer(raw, "<i4", 1, head)[0])
    names = raw[head + 4 * 10 :].split(b"\0", count)[:count]
    return [name.decode("ascii") for name in names]


def _gaussians(file: Path, sounds: int) -> Floats:
    raw = file.read_bytes()
    at = raw.index(b"endhdr\n") + len(b"endhdr\n")
    order, codebooks, streams, gaussians = np.frombuffer(raw, "<i4", 4, at)
    if order != _BYTE_ORDER or (codebooks, streams, gaussians) != (sounds, STREAMS, _GAUSSIANS):
        raise ValueError(f"{file.name} holds {codebooks} x {streams} x {gaussians} Gaussians")
    at += 16 + 4 * STREAMS + 4
    count = sounds * STREAMS * _GAUSSIANS * COEFFICIENTS
    values = np.frombuffer(raw, "<f4", count, at).astype(np.float64)
    return values.reshape(sounds, STREAMS, _GAUSSIANS, COEFFICIENTS)


def _weights(file: Path) -> Floats:
    raw = file.read_bytes()
    at, said = 0, {}
    while length := int(np.frombuffer(raw, "<i4", 1, at)[0]):
        text = raw[at + 4 : at + 4 + length].rstrip(b"\0").decode("ascii", "replace")
        name, _, value = text.partition(" ")
        said[name] = value
        at += 4 + length
    gaussians, states = (int(value) for value in np.frombuffer(raw, "<i4", 2, at + 4))
    size = STREAMS * gaussians * states
    if gaussians != _GAUSSIANS or len(raw) - (at + 12) < size:
        raise ValueError(f"{file.name} holds weights of {gaussians} Gaussians and {states} states")
    steps = np.frombuffer(raw, np.uint8, size, at + 12).astype(np.float64)
    return np.asarray(-_WEIGHT_STEP * steps.reshape(STREAMS, gaussians, states), np.float64)
