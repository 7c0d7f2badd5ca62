"""A layer is a matte with colours; layers lie over one another and over a background.

All arithmetic that decides a pixel is on integers or float64, or in OpenCV's bit-exact functions on uint8, so that
a seed gives the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

SIZE = 512
FINE = 2
"""Shapes are drawn at twice the size, smoothed by OpenCV's anti-aliasing, and averaged down."""
SHIFT = 4

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Layer:
    """alpha: float64 ``(SIZE, SIZE)``, 0..1; colour: float64 ``(SIZE, SIZE, 3)``, RGB, 0..255, everywhere."""

    alpha: Floats
    colour: Floats


def over(top: Layer, bottom: Layer) -> Layer:
    """``top`` laid over ``bottom``."""
    seen = bottom.alpha * (1 - top.alpha)
    alpha = top.alpha + seen
    share = np.divide(top.alpha, alpha, out=np.ones_like(alpha), where=alpha > 0)[..., None]
    return Layer(alpha, share * top.colour + (1 - share) * bottom.colour)


def flat(colour: Colour | Floats) -> Floats:
    """One colour everywhere: float64 ``(SIZE, SIZE, 3)``."""
    return np.broadcast_to(np.asarray(colour, np.float64), (SIZE, SIZE, 3)).copy()


def polygon(points: Floats) -> Floats:
    """The matte of a closed polygon, ``points`` (n, 2) as x, y: float64 ``(SIZE, SIZE)``."""
    canvas = np.zeros((SIZE * FINE, SIZE * FINE), np.uint8)
    fixed = np.round(points * FINE * 2**SHIFT).astype(np.int32)
    cv2.fillPoly(canvas, [fixed], 255, cv2.LINE_AA, SHIFT)
    return averaged(canvas)


def blob(centre: tuple[float, float], radii: tuple[float, float], wobble: Floats, turn: float = 0.0) -> Floats:
    """Points, (n, 2), on an ellipse whose radius wobbles: ``wobble`` (k, 2) holds amplitude (share) and phase."""
    angle = np.arange(180) * (2 * np.pi / 180)
    orders = np.arange(2, 2 + len(wobble))[:, None]
    radius = 1 + (wobble[:, :1] * np.cos(orders * angle + wobble[:, 1:])).sum(axis=0)
    x, y = radii[0] * radius * np.cos(angle), radii[1] * radius * np.sin(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([centre[0] + cos * x - sin * y, centre[1] + sin * x + cos * y], axis=1)


def wobble(rng: np.random.Generator, amount: float, orders: int = 5) -> Floats:
    """Random amplitudes, falling with the order, and phases: float64 (orders, 2)."""
    amplitude = amount * rng.uniform(-1, 1, orders) / np.arange(1, orders + 1)
    return np.stack([amplitude, rng.uniform(0, 2 * np.pi, orders)], axis=1)


def averaged(canvas: Pixels) -> Floats:
    """Down from the fine canvas: float64 ``(SIZE, SIZE[, 3])``; 0..1 for one channel, 0..255 for three."""
    parts = canvas.astype(np.uint16)
    parts = sum(parts[y::FINE, x::FINE] for y in range(FINE) for x in range(FINE))
    mean = parts / float(FINE**2)
    return mean / 255 if canvas.ndim == 2 else mean


def blurred(values: Floats, sigma: float, top: float = 1.0) -> Floats:
    """A Gaussian blur of values in 0..``top``, on 8 bits a channel, where OpenCV's is the same on every machine."""
    small = np.round(np.clip(values, 0, top) * (255 / top)).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), sigma), np.float64) * (top / 255)


def clouds(rng: np.random.Generator, cells: int) -> Floats:
    """Smooth noise, ``cells`` bumps across: float64 ``(SIZE, SIZE)``, 0..1."""
    small = rng.integers(0, 256, (cells + 1, cells + 1), np.uint8)
    return np.asarray(cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR_EXACT), np.float64) / 255


def grid() -> tuple[Floats, Floats]:
    """Columns and rows of every pixel's middle, as shares of the side: two float64 ``(SIZE, SIZE)``."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    return (x + 0.5) / SIZE, (y + 0.5) / SIZE
