"""Whole scenes: a subject over a background, each of a kind that matting finds hard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import cv2
import numpy as np

from training.matting import photographs, things
from training.matting.layers import SIZE, Floats, Layer, Pixels, blurred, clouds, flat, grid, over
from training.matting.people import HAIR, animal, person

Shadow = Literal["keep", "drop"]
"""Whether the shadow belongs to the subject."""


@dataclass(frozen=True)
class Scene:
    """``image = alpha * foreground + (1 - alpha) * background``, rounded, wherever alpha is not 0.

    image, foreground: uint8 ``(SIZE, SIZE, 3)``, RGB; foreground is black where alpha is 0.
    alpha: uint8 ``(SIZE, SIZE)``.
    """

    image: Pixels
    alpha: Pixels
    foreground: Pixels
    slices: tuple[str, ...]
    shadow: Shadow


def composite(subject: Layer, background: Floats, slices: tuple[str, ...], shadow: Shadow = "drop") -> Scene:
    """Round matte and colours to 8 bits first: then the truth is exact."""
    alpha = np.round(np.clip(subject.alpha, 0, 1) * 255).astype(np.uint8)
    foreground = np.round(np.clip(subject.colour, 0, 255)).astype(np.uint8)
    foreground[alpha == 0] = 0
    share = alpha[..., None] / 255.0
    image = np.round(share * foreground + (1 - share) * np.clip(background, 0, 255)).astype(np.uint8)
    return Scene(image, alpha, foreground, slices, shadow)


def soft_background(rng: np.random.Generator) -> Floats:
    """A photograph out of focus, or a studio's wall."""
    if rng.random() < 0.65:
        return blurred(photographs.background(rng), rng.uniform(2.5, 7), 255.0)
    return studio(rng, rng.integers(40, 235, 3).astype(float))


def studio(rng: np.random.Generator, colour: Floats) -> Floats:
    """A wall of one colour, lit unevenly."""
    x, y = grid()
    light = (
        1 + rng.uniform(-0.25, 0.25) * (x - 0.5) + rng.uniform(-0.25, 0.25) * (y - 0.5) + 0.04 * (clouds(rng, 3) - 0.5)
    )
    return np.clip(flat(colour) * light[..., None], 0, 255)


def busy_background(rng: np.random.Generator) -> Floats:
    """Two sharp photographs, one in pieces over the other, and sticks."""
    found = photographs.background(rng, photographs.BUSY)
    other = photographs.background(rng, photographs.BUSY)
    pieces = clouds(rng, int(rng.integers(3, 7))) > 0.55
    found = np.where(pieces[..., None], other, found)
    canvas = np.round(found).astype(np.uint8)
    for _ in range(int(rng.integers(6, 16))):
        ends = rng.integers(0, SIZE, (2, 2)).tolist()
        cv2.line(canvas, ends[0], ends[1], rng.integers(0, 255, 3).tolist(), int(rng.integers(2, 6)), cv2.LINE_AA)
    return canvas.astype(np.float64)


def near_background(rng: np.random.Generator, subject: Layer) -> Floats:
    """A wall of nearly the colour that the subject has at its edge."""
    edge = (subject.alpha > 0.05) & (subject.alpha < 0.95)
    colour = np.round(np.median(subject.colour[edge], axis=0))
    away = 1 if colour.mean() < 128 else -1
    return studio(rng, np.clip(colour + away * rng.uniform(16, 30) + rng.uniform(-6, 6, 3), 0, 255))


def hair(rng: np.random.Generator) -> Scene:
    """A person before something soft."""
    return composite(person(rng), soft_background(rng), ("hair",))


def light_hair(rng: np.random.Generator) -> Scene:
    """Light hair before something dark: where halos are seen."""
    colour = HAIR[int(rng.integers(4, 7))]
    return composite(person(rng, hair=colour), 0.45 * soft_background(rng), ("hair", "light-hair"))


def fur(rng: np.random.Generator) -> Scene:
    """An animal before something soft."""
    return composite(animal(rng), soft_background(rng), ("hair", "fur"))


def hair_complex(rng: np.random.Generator) -> Scene:
    """A person before something busy."""
    return composite(person(rng), busy_background(rng), ("hair", "complex-background"))


def hair_low_contrast(rng: np.random.Generator) -> Scene:
    """A person before a wall of their hair's colour."""
    subject = person(rng)
    return composite(subject, near_background(rng, subject), ("hair", "low-contrast"))


def complex_background(rng: np.random.Generator) -> Scene:
    """A thing before something busy."""
    subject, _ = things.solid(rng)
    return composite(subject, busy_background(rng), ("complex-background",))


def low_contrast(rng: np.random.Generator) -> Scene:
    """A thing before a wall of its own colour."""
    subject, _ = things.solid(rng)
    return composite(subject, near_background(rng, subject), ("low-contrast",))


def shadow_keep(rng: np.random.Generator) -> Scene:
    """A thing on a light ground, with the soft shadow at its foot that belongs to it."""
    subject, points = things.solid(rng, rng.uniform(*things.FLOOR))
    whole = over(subject, things.contact_shadow(rng, points))
    return composite(whole, studio(rng, rng.uniform(150, 240, 3)), ("shadow", "shadow-keep"), "keep")


def shadow_drop(rng: np.random.Generator) -> Scene:
    """A thing or a person before a wall that their shadow falls on: the shadow is the wall's."""
    subject = person(rng) if rng.random() < 0.3 else things.solid(rng)[0]
    if rng.random() < 0.5:
        wall = photographs.background(rng, ("brick.png", "gravel.png"))
    else:
        wall = studio(rng, rng.uniform(110, 230, 3))
    lit = wall * things.thrown_shadow(rng, subject.alpha)[..., None]
    return composite(subject, lit, ("shadow", "shadow-drop"), "drop")


def glass(rng: np.random.Generator) -> Scene:
    """A vessel of glass."""
    return composite(things.glass(rng), soft_background(rng), ("translucent", "glass"))


def cloth(rng: np.random.Generator) -> Scene:
    """A veil, alone or before a person."""
    veil = things.cloth(rng)
    subject = over(veil, person(rng)) if rng.random() < 0.4 else veil
    return composite(subject, soft_background(rng), ("translucent", "cloth"))


KINDS: Mapping[str, Callable[[np.random.Generator], Scene]] = MappingProxyType(
    {
        "hair": hair,
        "light-hair": light_hair,
        "fur": fur,
        "hair-complex": hair_complex,
        "hair-low-contrast": hair_low_contrast,
        "complex": complex_background,
        "low-contrast": low_contrast,
        "shadow-keep": shadow_keep,
        "shadow-drop": shadow_drop,
        "glass": glass,
        "cloth": cloth,
    }
)
"""Name → maker of a scene from a random generator."""
