"""A photograph of a drawn person: features lie on a head of three dimensions, so that it can turn.

Colours are RGB. What decides a pixel is float32 arithmetic element by element and OpenCV's bit-exact functions on
uint8: a seed gives the same pixels on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.faces.look import Look
from training.faces.person import Person
from training.painting import Colour, blend, mix, oval, shade

DEEP = 0.92
"""Half the depth of a head, in halves of its height."""
DARK: Colour = (24, 22, 24)
NEAREST = 0.08
"""A feature is seen where the surface under its middle faces the camera by so much."""

Pixels = npt.NDArray[np.uint8]
Canvas = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Photo:
    """A picture, uint8 ``(h, w, 3)``, and where the face is in it, in pixels.

    box: x, y, width, height. landmarks: (3, 2), the left eye (as it is seen), the right one and the mouth.
    """

    image: Pixels
    box: tuple[float, float, float, float]
    landmarks: Points


class Head:
    """Brings points on a head into the picture."""

    def __init__(self, who: Person, how: Look, height: int, width: int) -> None:
        """A head in a picture of this size."""
        self.wide = who.wide
        self.middle = np.array([how.centre[0] * width, how.centre[1] * height])
        self.scale = how.scale * height
        (sy, cy), (sp, cp), (sr, cr) = ((np.sin(a), np.cos(a)) for a in (how.yaw, how.pitch, how.roll))
        turn = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        nod = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        self.matrix = nod @ turn
        self.tilt = np.array([[cr, -sr], [sr, cr]])
        self.seen_wide = float(np.hypot(who.wide * cy, DEEP * sy))

    def place(self, points: Points, lift: float | Points = 0.0) -> Points:
        """Points (n, 2) of the front, x and y in heads, as pixels; ``lift``: how far off the surface."""
        x, y = points[:, 0], points[:, 1]
        z = DEEP * np.sqrt(np.clip(1 - (x / self.wide) ** 2 - (y / 1.1) ** 2, 0, None)) + lift
        turned = np.stack([x, y, z], 1) @ self.matrix.T
        return self.flat(turned[:, :2])

    def flat(self, points: Points) -> Points:
        """Points (n, 2) of the plane through the head's middle that faces the camera, as pixels."""
        return points @ self.tilt.T * self.scale + self.middle

    def faces(self, x: float, y: float) -> bool:
        """Whether the surface there faces the camera."""
        z = np.sqrt(max(0.0, 1 - (x / self.wide) ** 2 - (y / 1.1) ** 2))
        normal = np.array([x / self.wide**2, y / 1.1**2, z / DEEP])
        return bool((self.matrix @ normal)[2] / np.sqrt(normal @ normal) > NEAREST)


def photo(who: Person, how: Look, rng: np.random.Generator, size: tuple[int, int] = (160, 160)) -> Photo:
    """Draw somebody; ``size``: height, width. Noise and what is behind come from ``rng``."""
    canvas = background(rng, how.behind, size)
    found = draw(canvas, who, how)
    return Photo(developed(canvas, how, rng), *found)


def draw(canvas: Canvas, who: Person, how: Look) -> tuple[tuple[float, float, float, float], Points]:
    """Draw somebody on a canvas; returns box and landmarks as in :class:`Photo`."""
    head = Head(who, how, *canvas.shape[:2])
    hair = mix(who.hair, (170, 170, 172), 0.5 * how.aged * (who.style != "bald"))
    _shoulders(canvas, head, who, how, hair)
    outline = head.flat(oval(0, 0, head.seen_wide, 1, who.square, who.taper))
    for side in (-1, 1):
        if head.faces(side * 0.9 * who.wide, 0.0) or head.seen_wide < 0.85:
            ear = head.place(oval(side * who.wide * 0.99, 0.05, 0.09, 0.19))
            blend(canvas, ear, shade(who.skin, 0.85), 0.02 * head.scale)
    blend(canvas, outline, who.skin, 0.02 * head.scale)
    if not how.cartoon:
        _roundness(canvas, outline, head, how)
    _cheeks(canvas, head, who)
    _beard(canvas, head, who, hair)
    _nose(canvas, head, who)
    for side in (-1, 1):
        x = side * who.eye_apart
        if head.faces(x, -who.eye_height):
            _eye(canvas, head, who, how, x)
    _mouth(canvas, head, who, how)
    if how.masked:
        _mask(canvas, head, how)
    if who.style != "bald":
        _fringe(canvas, head, who, hair)
    if who.glasses:
        _glasses(canvas, head, who)
    eyes = np.array([[-who.eye_apart, -who.eye_height], [who.eye_apart, -who.eye_height], [0, who.mouth_height]])
    low, high = outline.min(axis=0), outline.max(axis=0)
    box = (float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
    return box, head.place(eyes)


def background(rng: np.random.Generator, colour: Colour, size: tuple[int, int]) -> Canvas:
    """What is behind: a wall with some shapes, float32 ``(h, w, 3)``."""
    height, width = size
    canvas = np.ones((height, width, 3), np.float32) * np.asarray(colour, np.float32)
    for _ in range(int(rng.integers(0, 7))):
        box = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * rng.uniform(0.1, 0.7, 2) * height
        box += rng.uniform(-0.2, 1, 2) * (width, height)
        red, green, blue = rng.uniform(20, 235, 3)
        soft = float(rng.uniform(0.003, 0.04)) * height
        blend(canvas, box, (float(red), float(green), float(blue)), soft, float(rng.uniform(0.3, 0.9)))
    return canvas


def developed(canvas: Canvas, how: Look, rng: np.random.Generator) -> Pixels:
    """Light, age and noise over what was drawn."""
    height, width = canvas.shape[:2]
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in (height, width))
    slope = np.float32(np.cos(how.light_from)) * x[None, :] + np.float32(np.sin(how.light_from)) * y[:, None]
    lit = canvas * (np.float32(how.level) * (1 + np.float32(how.light) * slope))[..., None]
    lit *= np.asarray(how.tint, np.float32)
    if how.aged:
        grey = (lit[..., :1] + lit[..., 1:2] + lit[..., 2:]) / 3
        lit += np.float32(0.75 * how.aged) * (grey * np.array([1.08, 0.98, 0.8], np.float32) - lit)
        lit = 128 + np.float32(1 - 0.35 * how.aged) * (lit - 118)
    grain = rng.normal(size=(height, width, 1)).astype(np.float32) * np.float32(how.noise)
    picture = np.clip(np.rint(lit + grain), 0, 255).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.004 * height), np.uint8)


def _shoulders(canvas: Canvas, head: Head, who: Person, how: Look, hair: Colour) -> None:
    soft = 0.03 * head.scale
    if who.style in ("bob", "long"):
        long = 1.6 if who.style == "long" else 1.05
        blend(canvas, head.flat(oval(0, 0.15 * long, head.seen_wide * who.volume, long, 2.4)), hair, soft)
    elif who.style == "short":
        blend(canvas, head.flat(oval(0, -0.22, head.seen_wide * min(who.volume, 1.14), 0.92, 2.4)), hair, soft)
    blend(canvas, head.flat(oval(0, 1.2, 0.42, 0.7, 3)), shade(who.skin, 0.78), soft)
    blend(canvas, head.flat(oval(0, 2.6, 1.75, 1.15, 2.6)), how.cloth, soft)


def _roundness(canvas: Canvas, outline: Points, head: Head, how: Look) -> None:
    """Darker towards the side that is turned away and towards the edge."""
    mask = np.zeros((*canvas.shape[:2], 1), np.float32)
    blend(mask, outline, (1.0,), 0.04 * head.scale)  # type: ignore[arg-type]
    y, x = (np.arange(n, dtype=np.float32) for n in canvas.shape[:2])
    u = ((x - np.float32(head.middle[0])) / np.float32(head.scale))[None, :]
    v = ((y - np.float32(head.middle[1])) / np.float32(head.scale))[:, None]
    shine = np.float32(1.06) - np.float32(0.3) * (u * u + np.float32(0.5) * v * v)
    shine += np.float32(0.5 * how.light) * np.float32(np.cos(how.light_from)) * u
    canvas *= 1 + mask * (shine[..., None] - 1)


def _cheeks(canvas: Canvas, head: Head, who: Person) -> None:
    for side in (-1, 1):
        if head.faces(side * 0.42, 0.3):
            rosy = mix(who.skin, (215, 110, 110), 0.35)
            blend(canvas, head.place(oval(side * 0.42, 0.3, 0.18, 0.14)), rosy, 0.08 * head.scale, 0.5 * who.redness)
    marks = list(who.marks)
    if who.freckles:
        marks += [(0.12 * (k % 7 - 3), 0.12 + 0.05 * ((k * 5) % 4), 0.014) for k in range(14)]
    for x, y, size in marks:
        if head.faces(x, y):
            blend(canvas, head.place(oval(x, y, size, size)), shade(who.skin, 0.42), 0.006 * head.scale, 0.9)


def _eye(canvas: Canvas, head: Head, who: Person, how: Look, x: float) -> None:
    y, size, soft = -who.eye_height, who.eye_size, 0.008 * head.scale
    opened = who.eye_open * how.eyes
    if how.cartoon:
        size, opened = size * 1.55, 0.95
    side = np.sign(x)

    def at(dx: float, dy: float, rx: float, ry: float, power: float = 2.0, turn: float = 0.0) -> Points:
        return head.place(oval(x + dx * size, y + dy * size, rx * size, ry * size, power, 0, turn))

    blend(canvas, at(0, -0.1, 1.35, 0.95), shade(who.skin, 0.74), 0.3 * size * head.scale, 0.7)
    blend(canvas, at(0, 0, 1.08, opened * 1.12, 1.8), shade(who.skin, 0.42), soft)
    blend(canvas, at(0, 0.02, 0.95, opened, 1.8), (226, 224, 220), soft)
    round_ = min(0.46, opened * 0.98)
    blend(canvas, at(0, 0, 0.46, round_), shade(who.iris, 0.75), soft)
    blend(canvas, at(0, 0, 0.34, min(0.34, round_)), who.iris, soft)
    blend(canvas, at(0, 0, 0.2, 0.2), (12, 12, 14), soft)
    blend(canvas, at(-0.14, -0.15, 0.09, 0.09), (245, 245, 245), soft)
    blend(canvas, at(0, -0.92 * opened, 1.08, 0.12), (28, 24, 24), soft, 0.85)
    brow = mix(who.hair, (32, 28, 28), 0.45) if who.style != "bald" else shade(who.skin, 0.4)
    lifted = who.brow_lift + how.brows
    blend(
        canvas, at(0, -lifted, 1.25, who.brow_thick, 2, -side * who.brow_tilt), brow, 0.012 * head.scale, 0.9
    )  # fmt: skip


def _nose(canvas: Canvas, head: Head, who: Person) -> None:
    wide, tip = who.nose_wide, who.nose_long
    lifts = np.array([0.02, 0.08, 0.28, 0.1])
    for side, strength in ((-1, 0.6), (1, 0.35)):
        bridge = np.array([[0.4, -0.14], [0.75, -0.1], [1.05, tip], [0.4, tip]]) * (side * wide, 1)
        blend(canvas, head.place(bridge, lifts), shade(who.skin, 0.76), 0.025 * head.scale, strength)
    blend(
        canvas, head.place(oval(0, tip + 0.05, wide, wide * 0.3), 0.16), shade(who.skin, 0.68), 0.02 * head.scale, 0.7
    )
    blend(
        canvas,
        head.place(oval(0, tip - 0.04, wide * 0.55, wide * 0.45), 0.26),
        shade(who.skin, 1.12),
        0.025 * head.scale,
        0.7,
    )
    blend(
        canvas, head.place(oval(0, 0.03, wide * 0.28, tip * 0.7), 0.14), shade(who.skin, 1.13), 0.025 * head.scale, 0.6
    )
    for side in (-1, 1):
        if head.faces(side * wide, tip):
            hole = head.place(oval(side * wide * 0.5, tip + 0.03, wide * 0.24, wide * 0.15), 0.16)
            blend(canvas, hole, shade(who.skin, 0.35), 0.008 * head.scale, 0.9)


def _mouth(canvas: Canvas, head: Head, who: Person, how: Look) -> None:
    lip = shade(mix(who.skin, (190, 70, 78), who.redness), 0.84)
    wide, soft = who.mouth_wide * (1 + 0.18 * max(how.smile, 0)), 0.01 * head.scale
    x = np.linspace(-1, 1, 15)
    corners = who.mouth_height - 0.07 * how.smile * (x**2 - 0.4)
    full = np.sqrt(1 - x**2)
    opened = 0.09 * how.mouth_open

    def between(upper: Points, lower: Points) -> Points:
        ring = np.concatenate([np.stack([wide * x, upper], 1), np.stack([wide * x[::-1], lower[::-1]], 1)])
        return head.place(ring, 0.04)

    up, down = 0.055 * who.lips * full, (0.07 * who.lips + opened) * full
    bow = 0.02 * np.exp(-((x / 0.18) ** 2))
    blend(canvas, between(corners - up + bow, corners + down), lip, soft)
    if how.mouth_open:
        blend(canvas, between(corners - 0.1 * up, corners + opened * full), (52, 24, 26), soft)
        blend(canvas, between(corners - 0.05 * up, corners + 0.4 * opened * full), (222, 216, 206), soft)
    else:
        blend(canvas, between(corners - 0.012, corners + 0.012), shade(lip, 0.45), soft, 0.85)
    shadow = head.place(oval(0, who.mouth_height + 0.2, 0.16, 0.035))
    blend(canvas, shadow, shade(who.skin, 0.72), 0.03 * head.scale, 0.5)


def _beard(canvas: Canvas, head: Head, who: Person, hair: Colour) -> None:
    soft = 0.05 * head.scale
    if who.beard:
        jaw = oval(0, who.mouth_height + 0.14, who.wide * 0.78, 0.34, 2.4)
        blend(canvas, head.place(jaw), hair, soft, who.beard)
    if who.moustache:
        lip = oval(0, who.mouth_height - 0.13, who.mouth_wide * 0.95, 0.055, 2.5)
        blend(canvas, head.place(lip, 0.03), hair, 0.02 * head.scale, who.moustache)


def _fringe(canvas: Canvas, head: Head, who: Person, hair: Colour) -> None:
    x = np.linspace(-1.02, 1.02, 17)
    line = -who.hairline + 0.2 * (x - who.parting) ** 2
    top = -np.sqrt(np.clip(1.2 - (x * 0.98) ** 2, 0.02, None))
    lower = np.stack([x * who.wide, np.minimum(line, 0.15)], 1)
    upper = np.stack([x * head.seen_wide * 1.04, top], 1)
    blend(canvas, np.concatenate([head.place(lower), head.flat(upper[::-1])]), hair, 0.02 * head.scale)


def _glasses(canvas: Canvas, head: Head, who: Person) -> None:
    thick = max(1, round(who.glasses * head.scale * 0.7))
    for side in (-1, 1):
        x, size = side * who.eye_apart, who.eye_size
        if head.faces(x, -who.eye_height):
            ring = head.place(oval(x, -who.eye_height + 0.02, size * 1.45, size * 1.2, 2.8), 0.06)
            cv2.polylines(canvas, [np.round(ring * 16).astype(np.int32)], True, DARK, thick, cv2.LINE_AA, 4)


def _mask(canvas: Canvas, head: Head, how: Look) -> None:
    """A surgical mask, from the bridge of the nose to below the chin."""
    x = np.linspace(-1, 1, 15)
    top = 0.2 - 0.1 * np.exp(-((x / 0.25) ** 2))
    lower = 1.02 - 0.45 * x**2
    wide = head.wide * 0.9
    ring = np.concatenate([np.stack([x * wide, top], 1), np.stack([x[::-1] * wide, lower[::-1]], 1)])
    colour = mix((150, 195, 222), how.cloth, 0.25)
    blend(canvas, head.place(ring, 0.1), colour, 0.02 * head.scale)
    for fold in (0.4, 0.56, 0.72):
        strip = np.array([[-0.85, fold], [0.85, fold], [0.85, fold + 0.02], [-0.85, fold + 0.02]]) * (wide, 1)
        blend(canvas, head.place(strip, 0.1), shade(colour, 0.8), 0.008 * head.scale, 0.7)
