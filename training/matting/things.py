"""Things without hair: solid ones, glass, cloth that light goes through, and the shadows that they throw."""

from __future__ import annotations

import cv2
import numpy as np

from training.matting import photographs
from training.matting.layers import SIZE, Floats, Layer, blob, blurred, clouds, flat, grid, over, polygon, wobble
from training.matting.people import shaded

FLOOR = (330.0, 420.0)
"""Where things stand, from top to bottom of the picture, in pixels."""


def outline(rng: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float]) -> Floats:
    """A vase, a box, a stone or a figure: (n, 2)."""
    kind = int(rng.integers(3))
    if kind == 0:
        return blob(centre, radii, wobble(rng, 0.14))
    heights = np.linspace(-1, 1, 40)
    if kind == 1:
        waves = wobble(rng, 0.35, 4)
        half = 0.62 + sum(a * np.cos((i + 1) * 1.6 * heights + p) for i, (a, p) in enumerate(waves.tolist()))
        half = np.clip(half, 0.25, 1.0)
    else:
        half = np.full(40, 0.8) + rng.uniform(-0.2, 0.2) * heights
    right = np.stack([centre[0] + radii[0] * half, centre[1] + radii[1] * heights], axis=1)
    left = np.stack([centre[0] - radii[0] * half, centre[1] + radii[1] * heights], axis=1)
    return np.concatenate([right, left[::-1]])


def solid(rng: np.random.Generator, floor: float | None = None) -> tuple[Layer, Floats]:
    """A thing that nothing shines through, and its outline (n, 2); it stands on ``floor`` if there is one."""
    radii = (rng.uniform(70, 130), rng.uniform(90, 150))
    y = rng.uniform(230, 282) if floor is None else floor - radii[1]
    points = outline(rng, (rng.uniform(200, 312), y), radii)
    if rng.random() < 0.4:
        surface = np.clip(
            photographs.background(rng) * 0.5 + flat(rng.integers(20, 200, 3).astype(float)) * 0.5, 0, 255
        )
    else:
        surface = shaded(rng, rng.integers(25, 235, 3).astype(float), 0.5)
    x, _ = grid()
    side = rng.uniform(-0.5, 0.5)
    return Layer(polygon(points), np.clip(surface * (1 + side * (x - 0.5))[..., None] ** 2, 0, 255)), points


def inside(matte: Floats) -> Floats:
    """How far each pixel lies within a matte, in pixels: float64; exact for whole pixels."""
    whole = (matte >= 0.5).astype(np.uint8)
    squares = np.round(cv2.distanceTransform(whole, cv2.DIST_L2, cv2.DIST_MASK_PRECISE).astype(np.float64) ** 2)
    return np.sqrt(squares)


def glass(rng: np.random.Generator) -> Layer:
    """A vessel of glass: clear in the middle, denser at its rim, with highlights."""
    floor = rng.uniform(400, 450)
    radii = (rng.uniform(75, 115), rng.uniform(110, 150))
    points = outline(rng, (rng.uniform(220, 292), floor - radii[1]), radii)
    matte = polygon(points)
    depth = inside(matte)
    clear, rim = rng.uniform(0.12, 0.3), rng.uniform(0.7, 0.95)
    body = clear + (rim - clear) * np.exp(-depth / rng.uniform(4, 9))
    tint = rng.integers(120, 245, 3).astype(float)
    vessel = Layer(matte * body, shaded(rng, tint, 0.25))
    x, y = grid()
    for _ in range(2):
        at, width = rng.uniform(0.38, 0.62), rng.uniform(0.006, 0.016)
        stripe = np.exp(-(((x - at) / width) ** 2)) * (np.abs(y - 0.55) < 0.2) * matte * 0.8
        vessel = over(Layer(stripe, flat((250.0, 250.0, 250.0))), vessel)
    if rng.random() < 0.6:  # half full
        level = floor / SIZE - rng.uniform(0.12, 0.3)
        filled = matte * (y > level) * (depth > 5) * rng.uniform(0.5, 0.85)
        vessel = over(vessel, Layer(filled, shaded(rng, rng.integers(20, 220, 3).astype(float), 0.2)))
    return vessel


def cloth(rng: np.random.Generator) -> Layer:
    """A veil with folds: denser where it is folded."""
    x, y = grid()
    top, left, right = rng.uniform(60, 130), rng.uniform(90, 150), rng.uniform(360, 420)
    hem = [[right - (right - left) * k / 8, rng.uniform(380, 450)] for k in range(9)]
    points = np.array([[left + 50, top], [right - 50, top + rng.uniform(-20, 20)], *hem])
    fold = np.sin(2 * np.pi * (rng.uniform(4, 9) * x + rng.uniform(-1.5, 1.5) * y + 0.4 * clouds(rng, 4)))
    density = np.clip(rng.uniform(0.4, 0.62) + 0.22 * fold, 0.12, 0.95)
    colour = np.clip(flat(rng.integers(90, 250, 3).astype(float)) * (0.85 + 0.15 * fold)[..., None], 0, 255)
    return Layer(polygon(points) * density, colour)


def contact_shadow(rng: np.random.Generator, points: Floats) -> Layer:
    """The soft dark patch under a thing that stands there: part of the subject when it is cut out."""
    bottom, middle = float(points[:, 1].max()), float(points[:, 0].mean())
    half = float(np.ptp(points[:, 0])) / 2
    patch = polygon(
        blob(
            (middle + rng.uniform(-12, 12), bottom - 4),
            (half * rng.uniform(1.05, 1.3), rng.uniform(14, 24)),
            wobble(rng, 0.03),
        )
    )
    dark = blurred(patch, rng.uniform(7, 11)) * rng.uniform(0.42, 0.62)
    return Layer(dark, flat(rng.integers(4, 24, 3).astype(float)))


def thrown_shadow(rng: np.random.Generator, matte: Floats) -> Floats:
    """What a wall keeps of its light behind a thing, float64 ``(SIZE, SIZE)``: part of the background."""
    right, down = int(rng.integers(28, 70)) * (1 if rng.random() < 0.5 else -1), int(rng.integers(-20, 25))
    moved = np.zeros_like(matte)
    moved[max(0, down) : SIZE + min(0, down), max(0, right) : SIZE + min(0, right)] = matte[
        max(0, -down) : SIZE + min(0, -down), max(0, -right) : SIZE + min(0, -right)
    ]
    return 1 - blurred(moved, rng.uniform(1.5, 5)) * rng.uniform(0.35, 0.55)
