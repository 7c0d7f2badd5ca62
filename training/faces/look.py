"""How somebody looks in one photograph: pose, expression, light, age."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.painting import Colour


@dataclass(frozen=True)
class Look:
    """Angles are in radians. ``centre`` and ``scale`` (half a head's height) are in shares of the picture's height."""

    yaw: float
    pitch: float
    roll: float
    centre: tuple[float, float]
    scale: float
    smile: float
    mouth_open: float
    brows: float
    eyes: float
    cloth: Colour
    behind: Colour
    light_from: float
    light: float
    level: float
    tint: tuple[float, float, float]
    noise: float
    aged: float
    """How old the photograph is, 0..1: its colours are pale and yellow."""
    masked: bool = False
    cartoon: bool = False

    @property
    def slices(self) -> list[str]:
        """What makes the photograph a hard one."""
        return ["aged"] * (self.aged > 0) + ["posed"] * (abs(self.yaw) > 0.3)


def look(rng: np.random.Generator) -> Look:
    """A photograph that is good enough for recognition."""
    return Look(
        yaw=float(np.clip(rng.normal() * 0.22, -0.5, 0.5)),
        pitch=float(np.clip(rng.normal() * 0.1, -0.25, 0.25)),
        roll=float(np.clip(rng.normal() * 0.1, -0.3, 0.3)),
        centre=(float(rng.uniform(0.42, 0.58)), float(rng.uniform(0.44, 0.54))),
        scale=float(rng.uniform(0.26, 0.36)),
        smile=float(rng.uniform(-0.4, 1)),
        mouth_open=float(rng.uniform(0, 1)) if rng.random() < 0.4 else 0.0,
        brows=float(rng.normal() * 0.15),
        eyes=float(rng.uniform(0.75, 1.1)),
        cloth=_colour(rng, 20, 230),
        behind=_colour(rng, 30, 225),
        light_from=float(rng.uniform(0, 2 * np.pi)),
        light=float(rng.uniform(0, 0.38)),
        level=float(rng.uniform(0.68, 1.12)),
        tint=_colour(rng, 0.92, 1.08),
        noise=float(rng.uniform(1, 6)),
        aged=float(rng.uniform(0.35, 1)) if rng.random() < 0.18 else 0.0,
    )


def profile(rng: np.random.Generator, severity: float) -> Look:
    """Turned away: at ``severity`` 1 to the side."""
    yaw = (0.6 + 0.85 * severity) * (1 if rng.random() < 0.5 else -1)
    return replace(look(rng), yaw=yaw)


def _colour(rng: np.random.Generator, low: float, high: float) -> Colour:
    red, green, blue = rng.uniform(low, high, 3)
    return (float(red), float(green), float(blue))
