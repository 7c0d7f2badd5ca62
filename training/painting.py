"""Painting with polygons: colours, outlines, and filling one with a soft edge."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Colour = tuple[float, float, float]


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """A colour between two."""
    a, b = np.asarray(first), np.asarray(second)
    mixed = a * (1 - share) + b * share
    return (float(mixed[0]), float(mixed[1]), float(mixed[2]))


def shade(colour: Colour, factor: float) -> Colour:
    """Darker (below 1) or lighter."""
    return (min(colour[0] * factor, 255.0), min(colour[1] * factor, 255.0), min(colour[2] * factor, 255.0))


def blend(
    canvas: npt.NDArray[np.float32], points: npt.NDArray[np.float64], colour: Colour, soft: float, strength: float = 1.0
) -> None:
    """Fill the polygon with a colour, with an edge that is `soft` pixels wide; in place."""
    reach = int(3 * soft) + 2
    low = np.maximum(np.floor(points.min(axis=0)).astype(int) - reach, 0)
    high = np.minimum(np.ceil(points.max(axis=0)).astype(int) + reach + 1, (canvas.shape[1], canvas.shape[0]))
    if (high <= low).any():
        return
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(mask, [np.round((points - low) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if soft > 0.3:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft), np.uint8)
    share = (mask.astype(np.float32) * (strength / 255.0))[:, :, None]
    region = canvas[low[1] : high[1], low[0] : high[0]]
    region += share * (np.asarray(colour, np.float32) - region)


def oval(
    x: float, y: float, rx: float, ry: float, power: float = 2.0, taper: float = 0.0, turn: float = 0.0
) -> npt.NDArray[np.float64]:
    """Points (72, 2) on a rounded outline; ``taper``: how much narrower its lower end is."""
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    cos, sin = np.cos(angle), np.sin(angle)
    px = np.sign(cos) * np.abs(cos) ** (2 / power) * rx
    py = np.sign(sin) * np.abs(sin) ** (2 / power) * ry
    px = px * (1 - taper * np.clip(py / ry, 0, 1) ** 2)
    c, s = np.cos(turn), np.sin(turn)
    return np.stack([x + c * px - s * py, y + s * px + c * py], axis=1)
