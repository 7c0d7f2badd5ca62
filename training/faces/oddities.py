"""Photographs that recognition should not be asked about, from hardly so (severity 0) to plainly so (1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from training.faces.drawing import Photo, Pixels, background, developed, draw, photo
from training.faces.look import Look, look, profile
from training.faces.person import Person, person
from training.painting import blend, oval

Maker = Callable[[Person, np.random.Generator, float], Photo]


def blur(who: Person, rng: np.random.Generator, severity: float) -> Photo:
    """Out of focus."""
    made = photo(who, look(rng), rng)
    sigma = 0.8 + 4.2 * severity
    return replace(made, image=np.asarray(cv2.GaussianBlur(made.image, (0, 0), sigma), np.uint8))


def low_light(who: Person, rng: np.random.Generator, severity: float) -> Photo:
    """Hardly any light, and the noise of a sensor."""
    how = look(rng)
    made = photo(who, replace(how, level=how.level * (0.45 - 0.3 * severity)), rng)
    grain = rng.normal(size=made.image.shape) * (2 + 4 * severity)
    return replace(made, image=np.clip(np.rint(made.image + grain), 0, 255).astype(np.uint8))


def turned(who: Person, rng: np.random.Generator, severity: float) -> Photo:
    """Seen from the side."""
    return photo(who, profile(rng, severity), rng)


def screen(who: Person, rng: np.random.Generator, severity: float) -> Photo:
    """A photograph of a screen: moiré, its grid, and a reflection."""
    made = photo(who, look(rng), rng)
    height, width = made.image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float64)
    turn = rng.uniform(-0.25, 0.25)
    u, v = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    bend = rng.uniform(-2e-3, 2e-3)
    waves = np.stack(
        [np.sin(2 * np.pi * (u + bend * v * v) / period + k) for k, period in enumerate(rng.uniform(5, 16, 3))], axis=2
    )
    grid = 0.5 * (np.sin(np.pi * u) + np.sin(np.pi * v))[..., None]
    glare = np.exp(-(((u / width - rng.random()) ** 2 + (v / height - rng.random()) ** 2) / 0.06))[..., None]
    strength = 0.04 + 0.16 * severity
    seen = made.image * (1 + strength * waves + 0.7 * strength * grid)
    seen = (seen + (20 + 60 * severity) * glare) * np.array([0.95, 1.0, 1.06])
    return replace(made, image=np.clip(np.rint(seen), 0, 255).astype(np.uint8))


def cartoon(who: Person, rng: np.random.Generator, severity: float) -> Photo:
    """Drawn with few colours and dark lines."""
    how = replace(look(rng), cartoon=True, noise=0.0, light=0.0, aged=0.0)
    made = photo(who, how, rng)
    step = 24 + round(40 * severity)
    flat = made.image // step * step + step // 2
    edges = cv2.Canny(cv2.cvtColor(made.image, cv2.COLOR_RGB2GRAY), 40, 100)
    lines = cv2.dilate(edges, np.ones((2, 2), np.uint8))[..., None] > 0
    return replace(made, image=np.where(lines, 25, np.clip(flat, 0, 255)).astype(np.uint8))


def mask(who: Person, rng: np.random.Generator, severity: float) -> Photo:
    """With a mask over mouth and nose: there is no half of it."""
    del severity
    return photo(who, replace(look(rng), masked=True), rng)


def several(who: Person, rng: np.random.Generator, severity: float) -> Photo:
    """Others beside somebody; the first is the largest."""
    del severity
    size = (160, 160)
    how = look(rng)
    canvas = background(rng, how.behind, size)
    left = rng.random() < 0.5
    for number in range(int(rng.integers(1, 3))):
        place = 0.78 if left else 0.22
        other = replace(
            look(rng),
            centre=(place, float(rng.uniform(0.3, 0.36) + 0.38 * number)),
            scale=float(rng.uniform(0.15, 0.19)),
        )
        draw(canvas, person(rng), other)
    mine = replace(how, centre=(0.31 if left else 0.69, how.centre[1]), scale=float(rng.uniform(0.24, 0.28)))
    found = draw(canvas, who, mine)
    return Photo(developed(canvas, mine, rng), *found)


def empty(rng: np.random.Generator, size: tuple[int, int] = (160, 160)) -> Pixels:
    """A room without anybody: shapes in all colours, those of skin too."""
    how: Look = look(rng)
    canvas = background(rng, how.behind, size)
    for _ in range(int(rng.integers(2, 8))):
        colour = person(rng).skin if rng.random() < 0.5 else look(rng).cloth
        x, y = rng.uniform(0, size[1]), rng.uniform(0, size[0])
        rx, ry = rng.uniform(0.05, 0.35, 2) * size[0]
        shape = oval(x, y, rx, ry, float(rng.uniform(1.2, 4)), float(rng.uniform(0, 0.4)), float(rng.uniform(0, 3)))
        blend(canvas, shape, colour, float(rng.uniform(0.5, 6)), float(rng.uniform(0.5, 1)))
    return developed(canvas, how, rng)


ODD: dict[str, Maker] = {
    "blur": blur,
    "low-light": low_light,
    "profile": turned,
    "screen": screen,
    "cartoon": cartoon,
    "mask": mask,
    "several-faces": several,
}
"""Kind → what makes it, of those that show a face. Without one: :func:`empty`."""
