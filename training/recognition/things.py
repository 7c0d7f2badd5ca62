"""Twelve things, each drawn with its own colours and proportions, and signs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.recognition import glyphs

SIDE = 192
"""Pixels of the square that a thing is drawn in, before it is brought to its size."""

Floats = npt.NDArray[np.float32]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Layer:
    """Colours, float32 ``(h, w, 3)``, RGB, 0..255, and how solid they are, float32 ``(h, w)``, 0..1."""

    colour: Floats
    alpha: Floats


class Pen:
    """Draws on a square in coordinates of 0..1, x to the right and y down."""

    def __init__(self, rng: np.random.Generator) -> None:
        """The colours: ``main``, ``other``, and ``dark`` for lines."""
        self.rng = rng
        self.colour = np.zeros((SIDE, SIDE, 3), np.uint8)
        self.alpha = np.zeros((SIDE, SIDE), np.uint8)
        self.main, self.other = (tuple(int(v) for v in rng.integers(30, 236, 3)) for _ in range(2))
        self.dark = tuple(int(v) for v in rng.integers(5, 60, 3))

    def about(self, value: float, share: float = 0.12) -> float:
        """The value, a little more or less."""
        return float(value * (1 + self.rng.uniform(-share, share)))

    def polygon(self, points: list[tuple[float, float]] | Floats, colour: Colour) -> None:
        """Fill."""
        scaled = np.round(np.asarray(points) * SIDE * 16).astype(np.int32)
        cv2.fillPoly(self.colour, [scaled], colour, shift=4)
        cv2.fillPoly(self.alpha, [scaled], 255, cv2.LINE_AA, shift=4)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        """Fill a rectangle."""
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)

    def oval(
        self, x: float, y: float, rx: float, ry: float, colour: Colour, start: float = 0, stop: float = 360
    ) -> None:
        """Fill an ellipse, or a part of it between two angles."""
        angles = np.radians(np.linspace(start, stop, 48))
        self.polygon(np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1).astype(np.float32), colour)

    def stroke(self, points: list[tuple[float, float]] | Floats, width: float, colour: Colour) -> None:
        """A line."""
        scaled = np.round(np.asarray(points) * SIDE * 16).astype(np.int32)
        thick = max(1, round(width * SIDE))
        cv2.polylines(self.colour, [scaled], False, colour, thick, shift=4)
        cv2.polylines(self.alpha, [scaled], False, 255, thick, cv2.LINE_AA, shift=4)


def cat(pen: Pen) -> None:
    """A head with ears over a body with a tail."""
    tail = pen.about(0.85, 0.1)
    pen.stroke([(0.6, 0.88), (tail, 0.8), (tail + 0.05, 0.5)], 0.07, pen.main)
    pen.oval(0.45, 0.72, pen.about(0.25), 0.26, pen.main)
    rx = pen.about(0.24)
    for side in (-1, 1):
        pen.polygon([(0.45 + side * rx, 0.05), (0.45 + side * 0.04, 0.2), (0.45 + side * rx, 0.38)], pen.main)
    pen.oval(0.45, 0.35, rx, 0.2, pen.main)
    for side in (-1, 1):
        pen.oval(0.45 + side * 0.1, 0.32, 0.035, 0.05, (235, 225, 90))
        pen.oval(0.45 + side * 0.1, 0.32, 0.013, 0.045, pen.dark)
        for rise in (-0.03, 0.03):
            pen.stroke([(0.45 + side * 0.08, 0.43), (0.45 + side * 0.28, 0.43 + rise)], 0.008, pen.dark)
    pen.polygon([(0.42, 0.4), (0.48, 0.4), (0.45, 0.44)], (220, 120, 130))


def cup(pen: Pen) -> None:
    """A mug with a handle on its right."""
    top, foot = pen.about(0.3), pen.about(0.24)
    pen.stroke(np.array([(0.42 + top + 0.16 * np.cos(a), 0.5 + 0.17 * np.sin(a)) for a in np.linspace(-1.7, 1.7, 20)]),
               0.06, pen.main)  # fmt: skip
    pen.polygon([(0.42 - top, 0.22), (0.42 + top, 0.22), (0.42 + foot, 0.86), (0.42 - foot, 0.86)], pen.main)
    pen.oval(0.42, 0.22, top, 0.07, pen.other)
    pen.oval(0.42, 0.23, top * 0.85, 0.045, pen.dark)
    if pen.rng.random() < 0.5:
        pen.box(0.42 - foot, 0.5, 0.42 + foot, pen.about(0.62, 0.05), pen.other)


def car(pen: Pen) -> None:
    """Seen from its side."""
    roof = pen.about(0.3)
    pen.polygon([(0.22, 0.52), (0.34, roof), (0.66, roof), (0.8, 0.52)], pen.main)
    pen.polygon([(0.29, 0.5), (0.37, roof + 0.05), (0.49, roof + 0.05), (0.49, 0.5)], (190, 215, 230))
    pen.polygon([(0.53, 0.5), (0.53, roof + 0.05), (0.64, roof + 0.05), (0.73, 0.5)], (190, 215, 230))
    pen.polygon([(0.03, 0.56), (0.2, 0.5), (0.82, 0.5), (0.97, 0.58), (0.97, 0.72), (0.03, 0.72)], pen.main)
    wheel = pen.about(0.1)
    for x in (0.25, 0.76):
        pen.oval(x, 0.72, wheel, wheel, (25, 25, 28))
        pen.oval(x, 0.72, wheel * 0.5, wheel * 0.5, (170, 170, 175))
    pen.oval(0.94, 0.6, 0.03, 0.03, (250, 240, 150))


def tree(pen: Pen) -> None:
    """A trunk with a round or a pointed crown."""
    green = (int(pen.rng.integers(20, 90)), int(pen.rng.integers(90, 190)), int(pen.rng.integers(20, 90)))
    half = pen.about(0.06)
    pen.box(0.5 - half, 0.55, 0.5 + half, 0.97, (int(pen.rng.integers(80, 130)), 70, 40))
    if pen.rng.random() < 0.4:
        for at, width in ((0.05, 0.2), (0.22, 0.28), (0.4, 0.36)):
            pen.polygon([(0.5, at), (0.5 + width, at + 0.32), (0.5 - width, at + 0.32)], green)
    else:
        for _ in range(7):
            x, y = pen.rng.uniform(0.32, 0.68), pen.rng.uniform(0.2, 0.48)
            pen.oval(x, y, pen.about(0.2), pen.about(0.17), green)


def house(pen: Pen) -> None:
    """A wall, a roof, a door and windows."""
    pen.box(0.15, 0.45, 0.85, 0.95, pen.main)
    if pen.rng.random() < 0.6:
        pen.box(0.65, 0.12, 0.75, 0.4, pen.dark)
    pen.polygon([(0.05, 0.47), (0.5, pen.about(0.1)), (0.95, 0.47)], pen.other)
    pen.box(0.43, 0.66, 0.57, 0.95, pen.dark)
    for x in (0.22, 0.65):
        pen.box(x, 0.55, x + 0.13, 0.7, (245, 230, 150))


def star(pen: Pen) -> None:
    """Five points."""
    inner = pen.about(0.19, 0.2)
    turn = pen.rng.uniform(-0.3, 0.3)
    points = [
        (0.5 + r * np.sin(turn + a), 0.5 - r * np.cos(turn + a))
        for a, r in zip(np.arange(10) * np.pi / 5, [0.46, inner] * 5, strict=True)
    ]
    pen.polygon(points, pen.main)


def umbrella(pen: Pen) -> None:
    """Open, with a hooked handle."""
    pen.stroke([(0.5, 0.1), (0.5, 0.85), (0.46, 0.93), (0.39, 0.92), (0.36, 0.85)], 0.035, pen.dark)
    pen.oval(0.5, 0.5, 0.46, pen.about(0.38), pen.main, 180, 360)
    for number in range(3):
        pen.oval(0.5 + (number - 1) * 0.306, 0.5, 0.153, 0.06, pen.other, 180, 360)
    pen.stroke([(0.5, 0.05), (0.5, 0.14)], 0.03, pen.dark)


def fish(pen: Pen) -> None:
    """Swims to the left."""
    ry = pen.about(0.2)
    pen.polygon([(0.65, 0.5), (0.96, 0.5 - ry), (0.89, 0.5), (0.96, 0.5 + ry)], pen.other)
    pen.polygon([(0.35, 0.5 - ry * 0.8), (0.5, 0.42 - ry), (0.62, 0.45)], pen.other)
    pen.oval(0.4, 0.5, 0.37, ry, pen.main)
    pen.oval(0.2, 0.46, 0.045, 0.045, (245, 245, 245))
    pen.oval(0.19, 0.46, 0.02, 0.02, pen.dark)
    pen.stroke(np.array([(0.32 + 0.04 * np.cos(a), 0.5 + ry * 0.8 * np.sin(a)) for a in np.linspace(-1.2, 1.2, 12)]),
               0.015, pen.dark)  # fmt: skip


def lamp(pen: Pen) -> None:
    """A shade on a foot."""
    top = pen.about(0.14, 0.3)
    pen.stroke([(0.5, 0.5), (0.5, 0.9)], 0.045, pen.dark)
    pen.oval(0.5, 0.92, pen.about(0.2), 0.045, pen.dark)
    pen.polygon([(0.5 - top, 0.08), (0.5 + top, 0.08), (0.84, 0.52), (0.16, 0.52)], pen.main)
    pen.oval(0.5, 0.52, 0.34, 0.03, (255, 240, 170))


def book(pen: Pen) -> None:
    """Open, with lines on its pages."""
    rise = pen.about(0.07, 0.3)
    for side in (-1, 1):
        cover, edge = 0.5 + side * 0.47, 0.5 + side * 0.43
        pen.polygon([(0.5, 0.28), (cover, 0.28 - rise), (cover, 0.76 - rise), (0.5, 0.82)], pen.main)
        pen.polygon([(0.5, 0.31), (edge, 0.29 - rise), (edge, 0.71 - rise), (0.5, 0.77)], (242, 238, 225))
        for number in range(5):
            y = 0.38 + number * 0.07
            pen.stroke([(0.5 + side * 0.06, y), (0.5 + side * 0.38, y - rise)], 0.012, (120, 115, 110))
    pen.stroke([(0.5, 0.29), (0.5, 0.8)], 0.02, pen.dark)


def ball(pen: Pen) -> None:
    """With stripes of another colour."""
    pen.oval(0.5, 0.5, 0.44, 0.44, pen.main)
    first = pen.rng.uniform(0, 360)
    for number in range(3):
        angles = np.radians(first + number * 120 + np.linspace(-30, 30, 12))
        rim = np.stack([0.5 + 0.44 * np.cos(angles), 0.5 + 0.44 * np.sin(angles)], axis=1)
        pen.polygon(np.concatenate([[(0.5, 0.5)], rim]).astype(np.float32), pen.other)
    pen.oval(0.5, 0.5, 0.07, 0.07, (240, 240, 240))


def bird(pen: Pen) -> None:
    """Stands and looks to the right."""
    for x in (0.42, 0.52):
        pen.stroke([(x, 0.7), (x, 0.95)], 0.02, (225, 150, 40))
    pen.polygon([(0.3, 0.5), (0.02, pen.about(0.36)), (0.05, 0.6), (0.3, 0.66)], pen.main)
    pen.oval(0.46, 0.57, pen.about(0.27), 0.19, pen.main)
    pen.oval(0.7, 0.3, 0.16, 0.15, pen.main)
    pen.polygon([(0.84, 0.26), (0.99, 0.32), (0.84, 0.36)], (235, 160, 40))
    pen.polygon([(0.3, 0.48), (0.58, 0.5), (0.36, 0.7)], pen.other)
    pen.oval(0.74, 0.27, 0.025, 0.025, (10, 10, 10))


DRAWN: dict[str, Callable[[Pen], None]] = {
    "cat": cat, "cup": cup, "car": car, "tree": tree, "house": house, "star": star, "umbrella": umbrella,
    "fish": fish, "lamp": lamp, "book": book, "ball": ball, "bird": bird,
}  # fmt: skip
SIGN = "sign"
LABELS = (*DRAWN, SIGN)
"""What there is to recognise, in the order of the network's channels."""


def thing(rng: np.random.Generator, label: str) -> Layer:
    """A thing cut to what is solid of it; it may look the other way and lean a little."""
    pen = Pen(rng)
    DRAWN[label](pen)
    colour, alpha = pen.colour, pen.alpha
    if rng.random() < 0.5:
        colour, alpha = colour[:, ::-1], alpha[:, ::-1]
    lean = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(-9, 9), 0.92)
    colour = cv2.warpAffine(np.ascontiguousarray(colour), lean, (SIDE, SIDE))
    alpha = cv2.warpAffine(np.ascontiguousarray(alpha), lean, (SIDE, SIDE))
    shade = np.linspace(rng.uniform(0.8, 1.1), rng.uniform(0.8, 1.1), SIDE, dtype=np.float32)[None, :, None]
    return cut(Layer(np.clip(colour * shade, 0, 255), alpha.astype(np.float32) / 255))


def cut(layer: Layer) -> Layer:
    """Without the empty rows and columns around it."""
    rows, columns = (np.flatnonzero(layer.alpha.max(axis=axis) > 0.5) for axis in (1, 0))
    part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return Layer(np.ascontiguousarray(layer.colour[part]), np.ascontiguousarray(layer.alpha[part]))


def sign(rng: np.random.Generator, text: str) -> Layer:
    """A plate with one line of text, dark on light or light on dark, and mostly a rim; it leans at most 2 degrees."""
    ink, _ = glyphs.line(text, "bold" if rng.random() < 0.5 else "regular", rng.uniform(0.02, 0.1))
    above, beside = int(rng.integers(10, 18)), int(rng.integers(14, 26))
    ink = np.pad(ink, ((above, above), (beside, beside)))
    low, high = rng.integers(0, 80, 3), rng.integers(175, 256, 3)
    plate, letters = (low, high) if rng.random() < 0.6 else (high, low)
    colour = plate + (letters - plate) * ink[..., None]
    if rng.random() < 0.7:
        height, width = ink.shape
        rim = np.zeros(ink.shape, np.float32)
        cv2.rectangle(rim, (4, 4), (width - 5, height - 5), 1, 2)
        colour = colour + (letters - colour) * rim[..., None]
    height, width = ink.shape
    lean = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-2, 2), 1)
    spread = round(width * 0.035)
    lean[1, 2] += spread
    size = (width, height + 2 * spread)
    colour = cv2.warpAffine(colour.astype(np.float32), lean, size, flags=cv2.INTER_LINEAR)
    return cut(Layer(colour, cv2.warpAffine(np.ones(ink.shape, np.float32), lean, size)))
