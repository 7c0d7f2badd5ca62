"""Whole pictures: things and signs over drawn backgrounds, with what is in them and where."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from training.recognition import texts
from training.recognition.things import DRAWN, SIGN, Floats, Layer, sign, thing

Pixels = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""x, y, width, height in pixels."""
SIZES = ((320, 240), (400, 300), (480, 320), (480, 360), (640, 480))
"""Width and height of a picture."""
LIGHTS = (0.12, 0.3)
"""Of the light of day, at night."""
TRIES = 40


@dataclass(frozen=True)
class Asked:
    """What a picture shall show. ``share``: a thing's longer side, of the picture's shorter."""

    things: int = 2
    texts: tuple[str, ...] = ()
    share: tuple[float, float] = (0.22, 0.5)
    overlap: float = 0.02
    dark: bool = False


@dataclass(frozen=True)
class Scene:
    """A picture, uint8 ``(h, w, 3)``, RGB, and what is in it."""

    image: Pixels
    objects: list[tuple[str, Box]] = field(default_factory=list)
    text: str = ""


def scene(rng: np.random.Generator, size: tuple[int, int], asked: Asked) -> Scene:
    """A picture of ``size`` (width, height). What finds no room is left out; a sign always finds some."""
    width, height = size
    canvas = background(rng, width, height)
    taken: list[tuple[Box, float]] = []
    objects: list[tuple[str, Box]] = []
    said = []
    for text in asked.texts:
        layer = sign(rng, text)
        rows = rng.uniform(34, 60) * height / 300
        scale = min(rows / layer.alpha.shape[0], 0.92 * width / layer.alpha.shape[1])
        box = place(rng, layer, scale, (width, height), taken, 0.0)
        if box is not None:
            lay(canvas, layer, box)
            objects.append((SIGN, box))
            said.append((box, text))
    for label in rng.permutation(list(DRAWN))[: asked.things].tolist():
        layer = thing(rng, label)
        longer = rng.uniform(*asked.share) * min(width, height)
        box = place(rng, layer, longer / max(layer.alpha.shape), (width, height), taken, asked.overlap)
        if box is not None:
            lay(canvas, layer, box)
            objects.append((label, box))
    return Scene(seen(rng, canvas, dark=asked.dark), objects, " ".join(text for _, text in sorted(said, key=_reading)))


def _reading(said: tuple[Box, str]) -> tuple[int, int]:
    """Signs are read from top to bottom, those beside each other from left to right."""
    return said[0][1], said[0][0]


def random_scene(rng: np.random.Generator, size: tuple[int, int]) -> Scene:
    """What the network learns from: everything that a suite holds, and texts that it does not."""
    kind = rng.random()
    words = tuple(texts.random_text(rng) for _ in range(int(rng.random() < 0.5) + int(rng.random() < 0.1)))
    small, crowded = kind < 0.25, kind > 0.75
    return scene(
        rng,
        size,
        Asked(
            things=int(rng.integers(3, 5)) if crowded else int(rng.integers(0 if words else 1, 4)),
            texts=words,
            share=(0.12, 0.2) if small else (0.18, 0.5),
            overlap=0.25 if crowded else 0.02,
            dark=bool(rng.random() < 0.2),
        ),
    )


def place(
    rng: np.random.Generator,
    layer: Layer,
    scale: float,
    size: tuple[int, int],
    taken: list[tuple[Box, float]],
    overlap: float,
) -> Box | None:
    """A place where at most ``overlap`` is covered, and of each that is there what it allows; it is then taken."""
    for attempt in range(TRIES):
        smaller = scale * (1 - 0.5 * attempt / TRIES)
        height, width = (max(8, round(side * smaller)) for side in layer.alpha.shape)
        if width > size[0] - 4 or height > size[1] - 4:
            continue
        x, y = (int(rng.integers(2, whole - part - 1)) for whole, part in zip(size, (width, height), strict=True))
        box = (x, y, width, height)
        if all(covered(box, other) <= min(overlap, allowed) for other, allowed in taken):
            taken.append((box, overlap))
            return box
    return None


def covered(one: Box, other: Box) -> float:
    """What two boxes share, of the smaller."""
    sides = [min(one[at] + one[at + 2], other[at] + other[at + 2]) - max(one[at], other[at]) for at in (0, 1)]
    return max(0, sides[0]) * max(0, sides[1]) / min(one[2] * one[3], other[2] * other[3])


def lay(canvas: Floats, layer: Layer, box: Box) -> None:
    """Draw the layer into its box."""
    x, y, width, height = box
    flags = cv2.INTER_AREA if height < layer.alpha.shape[0] else cv2.INTER_LINEAR
    colour, alpha = (cv2.resize(part, (width, height), interpolation=flags) for part in (layer.colour, layer.alpha))
    under = canvas[y : y + height, x : x + width]
    under += (colour - under) * alpha[..., None]


def background(rng: np.random.Generator, width: int, height: int) -> Floats:
    """A wall, clouds, stripes or tiles, mostly with a floor and things that have no name: float32 ``(h, w, 3)``."""
    first, second = (rng.uniform(40, 230, 3) for _ in range(2))
    second = first + (second - first) * rng.uniform(0.15, 0.6)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    kind = int(rng.integers(4))
    if kind == 0:
        share = (y / height) if rng.random() < 0.6 else (x / width)
    elif kind == 1:
        coarse = rng.random((int(rng.integers(3, 9)), int(rng.integers(3, 9)))).astype(np.float32)
        share = np.clip(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    elif kind == 2:
        angle, period = rng.uniform(0, np.pi), rng.uniform(12, 60)
        share = 0.5 + 0.5 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period)
    else:
        side = rng.uniform(14, 60)
        share = (np.floor(x / side) + np.floor(y / side)) % 2
    canvas = (first + (second - first) * share[..., None]).astype(np.float32)
    if rng.random() < 0.4:
        canvas[int(height * rng.uniform(0.6, 0.85)) :] = rng.uniform(40, 220, 3)
    for _ in range(int(rng.integers(0, 7))):
        clutter(rng, canvas)
    return canvas


def clutter(rng: np.random.Generator, canvas: Floats) -> None:
    """A line, a block or a disc, faint or plain."""
    height, width = canvas.shape[:2]
    ends = [(int(rng.integers(width)), int(rng.integers(height))) for _ in range(2)]
    colour = (canvas[ends[0][1], ends[0][0]] + rng.uniform(-70, 70, 3)).tolist()
    kind = int(rng.integers(3))
    if kind == 0:
        cv2.line(canvas, ends[0], ends[1], colour, int(rng.integers(1, 6)))
    elif kind == 1:
        extent = rng.integers(10, 90, 2)
        cv2.rectangle(canvas, ends[0], (ends[0][0] + int(extent[0]), ends[0][1] + int(extent[1])), colour, -1)
    else:
        cv2.circle(canvas, ends[0], int(rng.integers(5, 40)), colour, -1)


def seen(rng: np.random.Generator, canvas: Floats, *, dark: bool) -> Pixels:
    """What a camera makes of it: light, a little blur, noise; more noise in the dark."""
    light = rng.uniform(*LIGHTS) if dark else rng.uniform(0.8, 1.1)
    tint = rng.uniform(0.92, 1.08, 3)
    noise = rng.standard_normal(canvas.shape, np.float32) * np.float32(rng.uniform(3, 7) if dark else rng.uniform(1, 4))
    if rng.random() < 0.5:
        canvas = cv2.GaussianBlur(canvas, (3, 3), 0)
    return np.clip(np.round(canvas * (light * tint).astype(np.float32) + noise), 0, 255).astype(np.uint8)
