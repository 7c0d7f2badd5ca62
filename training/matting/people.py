"""People and animals, with every hair drawn."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.matting import photographs
from training.matting.layers import (
    FINE,
    SHIFT,
    SIZE,
    Colour,
    Floats,
    Layer,
    averaged,
    blob,
    blurred,
    clouds,
    flat,
    over,
    polygon,
    wobble,
)

STEPS = 14
"""Points along a hair."""
SHADES = 7
HAIR: tuple[Colour, ...] = (
    (28, 22, 20), (52, 36, 26), (86, 56, 34), (128, 84, 46), (176, 132, 78), (214, 184, 128), (236, 222, 190),
    (150, 62, 30), (188, 184, 180),
)  # fmt: skip


@dataclass(frozen=True)
class Growth:
    """How hair grows: its length in pixels, how far it falls (0 stands, 1 hangs), how curly, and how many there are."""

    length: tuple[float, float]
    fall: float
    curl: float
    count: int
    width: float = 1.0


def strands(rng: np.random.Generator, roots: Floats, outward: Floats, growth: Growth) -> Floats:
    """The points of hairs that leave ``roots`` (n, 2) along ``outward`` (n, 2): float64 (n, STEPS, 2)."""
    count = len(roots)
    length = rng.uniform(*growth.length, count) * rng.uniform(0.6, 1.0, count)
    turn = rng.normal(0, 0.28, count)
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    heading = np.concatenate(
        [cos * outward[:, :1] - sin * outward[:, 1:], sin * outward[:, :1] + cos * outward[:, 1:]], 1
    )
    along = np.linspace(0, 1, STEPS)[None, :, None]
    bend = growth.fall * rng.uniform(0.6, 1.3, count)[:, None, None] * along
    down = np.array([0.0, 1.0])
    direction = (1 - np.minimum(bend, 1)) * heading[:, None] + bend * down
    side = np.stack([-heading[:, 1], heading[:, 0]], axis=1)[:, None]
    wave = np.sin(along * rng.uniform(4, 11, count)[:, None, None] + rng.uniform(0, 6.28, count)[:, None, None])
    step = direction * (length / (STEPS - 1))[:, None, None]
    return (
        roots[:, None]
        + np.cumsum(step, axis=1)
        - step
        + growth.curl * length[:, None, None] * 0.12 * wave * along * side
    )


def draw(rng: np.random.Generator, hairs: Floats, colour: Colour, width: float) -> Layer:
    """Hairs, thinner towards the tip, each a little lighter or darker than ``colour``."""
    matte = np.zeros((SIZE * FINE, SIZE * FINE), np.uint8)
    paint = np.zeros((SIZE * FINE, SIZE * FINE, 3), np.uint8)
    paint[:] = colour
    fixed = np.round(hairs * FINE * 2**SHIFT).astype(np.int32)
    group = rng.integers(0, SHADES, len(hairs))
    base = max(1, round(2.6 * width))
    stages = (
        (0, STEPS // 3 + 1, base + 1),
        (STEPS // 3, 2 * STEPS // 3 + 1, base),
        (2 * STEPS // 3, STEPS, max(1, base - 1)),
    )
    for number in range(SHADES):
        shade = [min(255, round(channel * (0.72 + 0.5 * number / (SHADES - 1)))) for channel in colour]
        for first, end, thickness in stages:
            lines = list(fixed[group == number, first:end])
            cv2.polylines(matte, lines, False, 255, thickness, cv2.LINE_AA, SHIFT)
            cv2.polylines(paint, lines, False, shade, thickness + 3, cv2.LINE_AA, SHIFT)
    return Layer(averaged(matte), averaged(paint))


def around(rng: np.random.Generator, outline: Floats, count: int, spread: float = 0.0) -> tuple[Floats, Floats]:
    """``count`` roots on an outline (n, 2), in locks, and the direction away from its middle."""
    locks = rng.integers(0, len(outline), max(8, count // 9))
    chosen = (locks[rng.integers(0, len(locks), count)] + rng.integers(-3, 4, count)) % len(outline)
    middle = outline.mean(axis=0)
    inward = rng.uniform(0, spread, (count, 1))
    roots = outline[chosen] + inward * (middle - outline[chosen])
    outward = outline[chosen] - middle
    return roots, outward / np.sqrt((outward**2).sum(axis=1, keepdims=True))


def shaded(rng: np.random.Generator, colour: Colour | Floats, amount: float = 0.25) -> Floats:
    """A surface of one colour under uneven light, with a weave: float64 ``(SIZE, SIZE, 3)``."""
    light = 1 + amount * (clouds(rng, 3) - 0.5) * 2 + 0.08 * (clouds(rng, 90) - 0.5)
    return np.clip(flat(colour) * light[..., None], 0, 255)


def face(rng: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float]) -> tuple[Floats, Floats]:
    """A face of one of the portraits on its own skin, float64 ``(SIZE, SIZE, 3)``; and that skin's colour, (3,)."""
    names = tuple(photographs.FACES)
    name = names[int(rng.integers(len(names)))]
    width, height = round(radii[0] * 1.7), round(radii[1] * 1.6)
    features = photographs.piece(photographs.photograph(name), photographs.FACES[name], (width, height))
    light = rng.uniform(0.75, 1.1)
    skin = light * np.median(features[height // 3 : height * 2 // 3, width // 4 : width * 3 // 4], axis=(0, 1))
    colour = shaded(rng, skin, 0.15)
    left, top = int(centre[0] - width / 2), int(centre[1] - height / 2 + radii[1] * 0.08)
    soft = np.zeros((height, width), np.uint8)
    cv2.ellipse(soft, (width // 2, height // 2), (width * 2 // 5, height * 2 // 5), 0, 0, 360, 255, -1)
    share = np.asarray(cv2.GaussianBlur(soft, (0, 0), 7.0), np.float64)[..., None] / 255
    window = (slice(top, top + height), slice(left, left + width))
    colour[window] = share * light * features + (1 - share) * colour[window]
    return np.clip(colour, 0, 255), skin


def person(rng: np.random.Generator, growth: Growth | None = None, hair: Colour | None = None) -> Layer:
    """Head and shoulders, with much hair."""
    centre = (rng.uniform(200, 312), rng.uniform(190, 225))
    radii = (rng.uniform(62, 80), rng.uniform(78, 96))
    complexion, skin = face(rng, centre, radii)
    hair = hair or HAIR[int(rng.integers(len(HAIR)))]
    growth = growth or Growth(
        (45, 125), rng.uniform(0.2, 1.0), rng.uniform(0.1, 1.1), int(rng.integers(420, 800)), rng.uniform(0.7, 1.2)
    )
    shirt = tuple(int(v) for v in rng.integers(30, 230, 3))
    wide = rng.uniform(120, 165)
    shoulder = centre[1] + radii[1] * rng.uniform(1.45, 1.65)
    torso = np.array(
        [
            [-0.28, -22],
            [-0.45, -8],
            [-0.92, 24],
            [-1.08, 80],
            [-1.15, 600],
            [1.15, 600],
            [1.08, 80],
            [0.92, 24],
            [0.45, -8],
            [0.28, -22],
        ]
    ) * [wide, 1] + [centre[0], shoulder]
    body = Layer(polygon(torso), shaded(rng, shirt, 0.45))
    neck = np.array([[-0.42, 0.4], [0.42, 0.4], [0.5, 1.75], [-0.5, 1.75]]) * radii + centre
    body = over(Layer(polygon(neck), shaded(rng, skin * 0.85, 0.1)), body)
    head = blob(centre, radii, wobble(rng, 0.03))
    scalp = blob((centre[0], centre[1] - 0.1 * radii[1]), (radii[0] * 1.1, radii[1] * 1.02), wobble(rng, 0.05))
    upper = scalp[scalp[:, 1] < centre[1] + radii[1] * (0.1 + 0.5 * growth.fall)]
    behind = draw(rng, strands(rng, *around(rng, upper, growth.count, 0.25), growth), hair, growth.width)
    cap = over(Layer(polygon(scalp), shaded(rng, hair, 0.3)), behind)
    clothed = over(body, cap) if growth.fall < 0.6 else over(cap, body)
    figure = over(Layer(polygon(head), complexion), clothed)
    fringe = scalp[scalp[:, 1] < centre[1] - radii[1] * 0.45]
    front = Growth((20, 60), 0.6, growth.curl, growth.count // 3, growth.width)
    return over(draw(rng, strands(rng, *around(rng, fringe, front.count, 0.2), front), hair, growth.width), figure)


def animal(rng: np.random.Generator) -> Layer:
    """A furry thing with ears, its surface a photograph of real fur."""
    centre, radii = (rng.uniform(220, 292), rng.uniform(250, 300)), (rng.uniform(105, 145), rng.uniform(105, 145))
    outline = blob(centre, radii, wobble(rng, 0.1))
    fur = photographs.fur(rng)
    colour = tuple(int(v) for v in fur.mean(axis=(0, 1)))
    solid = polygon(outline)
    hairs = [strands(rng, *around(rng, outline, 1500, 0.12), Growth((12, 30), 0.25, 0.4, 1500))]
    for side in (-1, 1):
        ear = blob(
            (centre[0] + side * radii[0] * 0.62, centre[1] - radii[1] * 0.85), (26, 52), wobble(rng, 0.05), side * 0.35
        )
        solid = np.maximum(solid, polygon(ear))
        hairs.append(strands(rng, *around(rng, ear, 300, 0.1), Growth((8, 22), 0.1, 0.3, 300)))
    coat = draw(rng, np.concatenate(hairs), (colour[0], colour[1], colour[2]), 0.9)
    # The coat's colour goes on in its hairs.
    hairy = Layer(coat.alpha, 0.5 * coat.colour + 0.5 * blurred(fur, 6.0, 255.0))
    return over(Layer(solid, fur), hairy)
