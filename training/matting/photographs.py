"""The real photographs: pieces of them as backgrounds and as the surface of things."""

from __future__ import annotations

import functools
from pathlib import Path

import cv2
import numpy as np

from training.matting.layers import SIZE, Floats, Pixels

ASSETS = Path(__file__).resolve().parents[2] / "test-assets"
SCENES = (
    "coffee.png",
    "chelsea.png",
    "rocket.jpg",
    "brick.png",
    "grass.png",
    "gravel.png",
    "camera.png",
    "raccoon.jpg",
)
BUSY = ("coffee.png", "rocket.jpg", "brick.png", "grass.png", "gravel.png", "raccoon.jpg")
"""Those that are sharp and full of detail."""
FURS = (("chelsea.png", (150, 20, 250, 160)), ("raccoon.jpg", (180, 110, 300, 200)))
"""Where fur fills the picture: x, y, width, height."""
FACES = {
    "astronaut": (172, 110, 174, 186),
    "drawn-01": (150, 150, 240, 290),
    "drawn-02": (160, 160, 220, 250),
    "drawn-03": (160, 150, 195, 240),
    "drawn-04": (165, 160, 215, 260),
    "drawn-05": (165, 160, 210, 260),
}
"""The face in each portrait of ``test-assets/portraits``: x, y, width, height."""


@functools.cache
def photograph(name: str) -> Pixels:
    """A photograph by its file's name: uint8 ``(h, w, 3)``, RGB. Raises FileNotFoundError if it is missing."""
    folder = "photographs" if "." in name else "portraits"
    path = ASSETS / folder / (name if "." in name else f"{name}.png")
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise FileNotFoundError(path)
    return np.ascontiguousarray(picture[..., ::-1])


def piece(picture: Pixels, box: tuple[int, int, int, int], size: tuple[int, int] = (SIZE, SIZE)) -> Pixels:
    """The part ``box`` (x, y, width, height) brought to ``size`` (width, height)."""
    x, y, width, height = box
    part = np.ascontiguousarray(picture[y : y + height, x : x + width])
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_LINEAR_EXACT), np.uint8)


def background(rng: np.random.Generator, names: tuple[str, ...] = SCENES) -> Floats:
    """A square piece of a photograph, turned over and coloured at random: float64 ``(SIZE, SIZE, 3)``, 0..255."""
    picture = photograph(names[int(rng.integers(len(names)))])
    side = int(min(picture.shape[:2]) * rng.uniform(0.55, 1.0))
    y, x = (int(rng.integers(length - side + 1)) for length in picture.shape[:2])
    found = piece(picture, (x, y, side, side))
    if rng.random() < 0.5:
        found = found[:, ::-1]
    tint = rng.uniform(0.7, 1.15, 3) if np.ptp(found[::16, ::16].astype(int), axis=2).max() < 8 else np.ones(3)
    return np.clip(found * (tint * rng.uniform(0.75, 1.15)), 0, 255)


def fur(rng: np.random.Generator) -> Floats:
    """A piece of real fur: float64 ``(SIZE, SIZE, 3)``, 0..255."""
    name, (x, y, width, height) = FURS[int(rng.integers(len(FURS)))]
    side = int(height * rng.uniform(0.6, 1.0))
    left, top = x + int(rng.integers(width - side + 1)), y + int(rng.integers(height - side + 1))
    found = piece(photograph(name), (left, top, side, side))
    return np.clip(found * rng.uniform(0.7, 1.2), 0, 255)
