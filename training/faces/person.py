"""Who somebody is: what stays the same from photograph to photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.painting import Colour, mix, shade

SKINS: tuple[Colour, ...] = (
    (241, 208, 187), (232, 190, 165), (222, 175, 148), (210, 160, 130), (194, 140, 110),
    (172, 118, 88), (146, 96, 70), (118, 76, 54), (92, 58, 42),
)  # fmt: skip
"""RGB, from light to dark."""
HAIRS: tuple[Colour, ...] = (
    (24, 22, 24), (52, 38, 30), (92, 60, 40), (142, 98, 58), (200, 162, 106), (148, 148, 150), (132, 56, 34),
)  # fmt: skip
IRISES: tuple[Colour, ...] = ((88, 58, 40), (58, 40, 30), (66, 104, 138), (84, 122, 86), (100, 108, 118))
TONES = ("skin-light", "skin-medium", "skin-dark")
"""The slices of the tones."""

HairStyle = Literal["bald", "short", "bob", "long"]


@dataclass(frozen=True)
class Person:
    """Lengths are in heads: half a head's height is 1. Colours are RGB, 0..255; shares 0..1."""

    tone: float
    skin: Colour
    wide: float
    taper: float
    square: float
    hair: Colour
    style: HairStyle
    hairline: float
    parting: float
    volume: float
    eye_apart: float
    eye_height: float
    eye_size: float
    eye_open: float
    iris: Colour
    brow_lift: float
    brow_thick: float
    brow_tilt: float
    nose_long: float
    nose_wide: float
    mouth_height: float
    mouth_wide: float
    lips: float
    redness: float
    beard: float
    moustache: float
    freckles: float
    marks: tuple[tuple[float, float, float], ...]
    glasses: float

    @property
    def slices(self) -> list[str]:
        """What fairness is judged by, and what is on the face."""
        worn = ["glasses"] * (self.glasses > 0) + ["beard"] * (max(self.beard, self.moustache) > 0)
        return [TONES[min(2, int(3 * self.tone))], *worn]


def person(rng: np.random.Generator) -> Person:
    """Somebody new."""
    tone = float(rng.random())
    at = tone * (len(SKINS) - 1.001)
    style: HairStyle = (("bald", "short", "bob", "long"))[int(rng.choice(4, p=(0.1, 0.42, 0.22, 0.26)))]
    bearded = style in ("bald", "short") and rng.random() < 0.45
    return Person(
        tone=tone,
        skin=mix(SKINS[int(at)], SKINS[int(at) + 1], at % 1),
        wide=float(rng.uniform(0.68, 0.86)),
        taper=float(rng.uniform(0.05, 0.35)),
        square=float(rng.uniform(1.9, 2.6)),
        hair=shade(HAIRS[int(rng.integers(len(HAIRS)))], float(rng.uniform(0.8, 1.2))),
        style=style,
        hairline=float(rng.uniform(0.5, 0.78)),
        parting=float(rng.uniform(-0.7, 0.7)),
        volume=float(rng.uniform(1.06, 1.32)),
        eye_apart=float(rng.uniform(0.35, 0.5)),
        eye_height=float(rng.uniform(0.02, 0.18)),
        eye_size=float(rng.uniform(0.13, 0.2)),
        eye_open=float(rng.uniform(0.36, 0.62)),
        iris=IRISES[int(rng.integers(len(IRISES)))],
        brow_lift=float(rng.uniform(1.1, 1.7)),
        brow_thick=float(rng.uniform(0.13, 0.38)),
        brow_tilt=float(rng.uniform(-0.22, 0.25)),
        nose_long=float(rng.uniform(0.18, 0.36)),
        nose_wide=float(rng.uniform(0.1, 0.19)),
        mouth_height=float(rng.uniform(0.5, 0.64)),
        mouth_wide=float(rng.uniform(0.23, 0.38)),
        lips=float(rng.uniform(0.5, 1.5)),
        redness=float(rng.uniform(0.1, 0.8)),
        beard=float(rng.uniform(0.35, 0.9)) if bearded and rng.random() < 0.7 else 0.0,
        moustache=float(rng.uniform(0.4, 0.9)) if bearded and rng.random() < 0.7 else 0.0,
        freckles=float(rng.uniform(0.3, 1)) if rng.random() < 0.15 else 0.0,
        marks=tuple(
            (float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-0.45, 0.8)), float(rng.uniform(0.018, 0.04)))
            for _ in range(int(rng.integers(0, 3)))
        ),
        glasses=float(rng.uniform(0.03, 0.06)) if rng.random() < 0.22 else 0.0,
    )
