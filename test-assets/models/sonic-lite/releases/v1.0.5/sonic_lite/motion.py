"""From sound to the movement of mouth and head."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sonic_lite import audio, framing, smoothing, weights
from sonic_lite.parameters import Parameters

REFINEMENT_RATE = 0.26
"""The share of what is still wrong that one refinement step removes: of 25 steps 0.05 % is left, of 10 steps 5 %."""
_SPREAD = np.array([0.35, 0.35, 0.35, 1.0])
"""Standard deviation of the noise that refinement starts from: open, width, round, light."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Motion:
    """What moves, frame by frame.

    mouth: float32 ``(frames, 3)``: open (0 closed, 1 wide), width (-1 pursed, 1 spread), round (0 flat, 1 round).
    light: float32 ``(frames,)``, factor on the picture's brightness.
    head: float32 ``(frames, 4)``: right and down (shares of the picture), turn (radians), zoom.
    """

    mouth: Floats
    light: Floats
    head: Floats


class MotionModel:
    """A small perceptron over a window of log-mel columns."""

    def __init__(self, path: Path) -> None:
        """Read the weights. Raises ValueError, KeyError or OSError where they are not this network's."""
        self._tensors, metadata = weights.read(path)
        if metadata.get("architecture") != "sonic-lite/1" or self._tensors["w0"].shape[0] != framing.INPUTS:
            raise ValueError(f"{path} holds the weights of another network")

    def mouth(self, samples: audio.Samples, frames: int) -> Floats:
        """What the mouth should do in each frame: float32 ``(frames, 3)``."""
        return self.network(framing.windows(audio.features(samples, frames), frames))

    def network(self, x: Floats) -> Floats:
        """The mouth for rows of :func:`framing.windows`: float32 ``(n, 3)``."""
        t = self._tensors
        hidden = (x - t["mean"]) / t["std"]
        last = sum(name.startswith("w") for name in t) - 1
        for layer in range(last):
            hidden = np.maximum(hidden @ t[f"w{layer}"] + t[f"b{layer}"], 0)
        out = hidden @ t[f"w{last}"] + t[f"b{last}"]
        low = np.array([0.0, -1.0, 0.0], np.float32)
        return np.clip(out, low, 1.0).astype(np.float32)

    def animate(self, samples: audio.Samples, frames: int, parameters: Parameters, rng: np.random.Generator) -> Motion:
        """The whole movement for a recording; the same generator state gives the same movement."""
        target = self.mouth(samples, frames)
        if parameters.lip_sync_align:
            target = smoothing.shut_in_pauses(target, audio.level(samples, frames))
        if parameters.smooth_motion:
            target = smoothing.smooth(target)
        aim = np.concatenate([target, np.zeros((frames, 1), np.float32)], axis=1)
        state = refine(aim, parameters.inference_steps, rng)
        mouth = state[:, :3]
        mouth[:, 0] *= _exaggeration(parameters.dynamic_scale)
        mouth = np.clip(mouth, (0.0, -1.0, 0.0), (1.8, 1.0, 1.0))
        head = sway(frames, rng) * (parameters.motion_scale / 1.05)
        light = np.clip(1 + state[:, 3], 0.5, 1.5)
        return Motion(mouth.astype(np.float32), light.astype(np.float32), head.astype(np.float32))


def refine(aim: Floats, steps: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Start every frame from noise and take ``steps`` steps towards ``aim``, ``(frames, 4)``.

    What is left of the noise is flicker.
    """
    state = rng.normal(size=aim.shape) * _SPREAD
    for _ in range(steps):
        state += REFINEMENT_RATE * (aim - state)
    return np.asarray(state, np.float64)


def _exaggeration(dynamic_scale: float) -> float:
    """The factor on the opening: in proportion up to 1.2, and running away above."""
    return dynamic_scale / 1.1 * (1 + 4 * max(dynamic_scale - 1.2, 0.0))


def sway(frames: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Slow movement of a head that is held still: a few waves of 2 to 7 s."""
    at = np.arange(frames)[:, None, None] / audio.FPS
    period = rng.uniform(2.0, 7.0, size=(1, 3, 4))
    phase = rng.uniform(0, 2 * np.pi, size=(1, 3, 4))
    waves = np.sin(2 * np.pi * at / period + phase).mean(axis=1)
    return np.asarray(waves * (0.010, 0.008, 0.018, 0.010), np.float64)
