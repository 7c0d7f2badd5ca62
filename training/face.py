"""Drawn people: one `Face` is a painted portrait without a mouth, and what is needed to paint the mouth on it.

Needs only NumPy and OpenCV. The canvas is `CANVAS` pixels square; a talker is cut out of it by `training.talker`.
Variety is the point: skin, light, hair, eyes, nose, beard, glasses, clothes and background all differ, so that a
network which learns from these faces cannot lean on any one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from training.painting import Colour, blend, mix, oval, shade

Image = npt.NDArray[np.uint8]

CANVAS = 512

_SKINS: tuple[Colour, ...] = (
    (185, 205, 240), (165, 190, 230), (150, 175, 220), (130, 160, 210), (110, 140, 195),
    (90, 120, 175), (75, 100, 150), (60, 82, 125), (48, 66, 102),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (25, 22, 20), (30, 40, 55), (40, 60, 95), (60, 100, 150), (110, 165, 205), (150, 150, 150), (35, 55, 130),
)  # fmt: skip
_IRISES: tuple[Colour, ...] = ((40, 60, 90), (30, 40, 60), (130, 100, 60), (90, 120, 80), (120, 110, 100))


@dataclass(frozen=True)
class Mouth:
    """Where the mouth is (canvas pixels) and how it is painted (BGR colours, thicknesses as shares of half_width)."""

    x: float
    y: float
    half_width: float
    lip: Colour = (105.0, 105.0, 180.0)
    cavity: Colour = (30.0, 22.0, 45.0)
    teeth: Colour = (205.0, 215.0, 222.0)
    tongue: Colour = (95.0, 85.0, 165.0)
    upper: float = 0.2
    lower: float = 0.28
    bow: float = 0.3
    gap: float = 0.85
    teeth_share: float = 0.35
    line: float = 0.0
    jaw: float = 0.6


@dataclass(frozen=True)
class Face:
    """A portrait without its mouth (`style` "drawn") or with closed lips (`style` "warped").

    open_eyes, closed_eyes: uint8 (CANVAS, CANVAS, 3), BGR. box: the face, forehead to chin, as (x, y, width, height)
    in canvas pixels, as a face detector of the S3FD kind reports it.
    """

    open_eyes: Image
    closed_eyes: Image
    mouth: Mouth
    box: tuple[float, float, float, float]
    style: Literal["drawn", "warped"] = "drawn"

    @classmethod
    def random(cls, rng: np.random.Generator, *, style: Literal["drawn", "warped"] | None = None) -> Face:
        """A new person. `style` None picks either way of moving the mouth."""
        return _paint(rng, style or ("warped" if rng.random() < 0.5 else "drawn"))

    @classmethod
    def from_image(
        cls, image: Image, box: tuple[float, float, float, float], mouth: tuple[float, float, float]
    ) -> Face:
        """A photograph as a talker. image: uint8 (CANVAS, CANVAS, 3), BGR, lips closed or nearly so.

        mouth: x, y and half width in pixels. Raises ValueError when the image has another size.
        """
        if image.shape != (CANVAS, CANVAS, 3):
            raise ValueError(f"the image must be {CANVAS} x {CANVAS} x 3, not {image.shape}")
        return cls(image, image, Mouth(*mouth), box, "warped")


def _noise(rng: np.random.Generator, cells: int, channels: int = 1) -> npt.NDArray[np.float32]:
    """Smooth noise on the canvas, mean 0 and sd about 1."""
    small = rng.normal(size=(cells, cells, channels)).astype(np.float32)
    grown = cv2.resize(small, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.float32).reshape(CANVAS, CANVAS, channels)


def _background(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    base = rng.uniform(30, 225, size=3).astype(np.float32)
    canvas = np.ones((CANVAS, CANVAS, 3), np.float32) * base
    canvas += _noise(rng, int(rng.integers(2, 5)), 3) * float(rng.uniform(4, 30))
    for _ in range(int(rng.integers(0, 7))):
        corner = rng.uniform(0, CANVAS, size=2)
        extent = rng.uniform(30, 220, size=2)
        box = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * extent + corner
        colour = tuple(float(v) for v in rng.uniform(20, 235, size=3))
        blend(canvas, box, (colour[0], colour[1], colour[2]), float(rng.uniform(1, 14)), float(rng.uniform(0.3, 0.9)))
    grey = canvas.mean(axis=2, keepdims=True)
    return np.asarray(grey + float(rng.uniform(0.15, 0.6)) * (canvas - grey), np.float32)


def _eye(
    canvas: npt.NDArray[np.float32], x: float, y: float, size: float, iris: Colour, skin: Colour, opened: bool
) -> None:
    blend(canvas, oval(x, y - size * 0.1, size * 1.35, size * 0.95), shade(skin, 0.72), size * 0.35, 0.75)
    if not opened:
        blend(canvas, oval(x, y, size, size * 0.45), shade(skin, 0.9), 1.5, 0.9)
        blend(canvas, oval(x, y + size * 0.22, size, size * 0.07), shade(skin, 0.35), 0.8)
        return
    blend(canvas, oval(x, y, size * 1.05, size * 0.5, 1.8), shade(skin, 0.45), 1.2)
    blend(canvas, oval(x, y + 0.5, size * 0.94, size * 0.42, 1.8), (215, 220, 224), 0.8)
    blend(canvas, oval(x, y, size * 0.43, size * 0.42), shade(iris, 0.7), 0.8)
    blend(canvas, oval(x, y, size * 0.34, size * 0.34), iris, 0.8)
    blend(canvas, oval(x, y, size * 0.19, size * 0.19), (12, 12, 14), 0.6)
    blend(canvas, oval(x - size * 0.12, y - size * 0.14, size * 0.08, size * 0.08), (245, 245, 245), 0.5)
    blend(canvas, oval(x, y - size * 0.42, size * 1.05, size * 0.12), (25, 25, 30), 0.9, 0.85)


def _paint(rng: np.random.Generator, style: Literal["drawn", "warped"]) -> Face:
    skin_at = rng.uniform(0, len(_SKINS) - 1.001)
    skin = mix(_SKINS[int(skin_at)], _SKINS[int(skin_at) + 1], skin_at % 1)
    hair = shade(_HAIRS[int(rng.integers(len(_HAIRS)))], float(rng.uniform(0.8, 1.2)))
    x, y = CANVAS / 2 + rng.uniform(-8, 8), 236 + rng.uniform(-8, 8)
    half_h = float(rng.uniform(126, 144))
    half_w = half_h * float(rng.uniform(0.70, 0.82))
    taper = float(rng.uniform(0.1, 0.3))
    canvas = _background(rng)

    bald = rng.random() < 0.12
    long_hair = rng.random() < 0.45
    if not bald:
        ry = half_h * (1.25 if long_hair else 0.85)
        shift = 0.2 if long_hair else -0.28
        blend(canvas, oval(x, y + shift * half_h, half_w * float(rng.uniform(1.12, 1.35)), ry, 2.4), hair, 4)
    cloth = tuple(float(v) for v in rng.uniform(20, 230, size=3))
    blend(canvas, oval(x, y + half_h * 1.25, half_w * 0.5, half_h * 0.75, 3), shade(skin, 0.78), 4)
    shoulders = oval(x, CANVAS + 90, half_w * float(rng.uniform(2.0, 2.6)), 175, 2.6)
    blend(canvas, shoulders, (cloth[0], cloth[1], cloth[2]), 3)
    for side in (-1, 1):
        blend(canvas, oval(x + side * half_w * 0.98, y + half_h * 0.05, 11, 25), shade(skin, 0.85), 2)
    outline = oval(x, y, half_w, half_h, float(rng.uniform(2.0, 2.4)), taper)
    blend(canvas, outline, skin, 2.2)

    face_mask = np.zeros((CANVAS, CANVAS, 3), np.float32)
    blend(face_mask, outline, (1.0, 1.0, 1.0), 4)
    grid_y, grid_x = np.mgrid[0:CANVAS, 0:CANVAS].astype(np.float32)
    u, v = (grid_x - x) / half_w, (grid_y - y) / half_h
    roundness = 1.06 - float(rng.uniform(0.12, 0.35)) * (u**2 + 0.55 * v**2)
    canvas *= 1 + face_mask * (roundness[:, :, None] - 1)
    for side in (-1, 1):
        cheek = mix(skin, (110, 110, 215), 0.4)
        blend(canvas, oval(x + side * half_w * 0.52, y + half_h * 0.28, 26, 20), cheek, 12, float(rng.uniform(0, 0.4)))

    _nose(canvas, x, y, half_h, skin, rng)
    eye_y = y - half_h * float(rng.uniform(0.04, 0.12))
    spread, size = half_w * float(rng.uniform(0.40, 0.46)), half_h * float(rng.uniform(0.14, 0.175))
    iris = _IRISES[int(rng.integers(len(_IRISES)))]
    brow_lift, brow_thick, brow_tilt = rng.uniform(1.15, 1.5), rng.uniform(0.16, 0.3), rng.uniform(-0.12, 0.15)
    brow = mix(hair, (30, 30, 35), 0.45) if not bald else shade(skin, 0.4)
    mouth = _mouth(rng, x, y + half_h * float(rng.uniform(0.53, 0.60)), half_h, skin, style)
    _folds(canvas, mouth, half_h, skin, rng)
    for side in (-1, 1):
        at = x + side * spread
        blend(
            canvas,
            oval(at, eye_y - size * brow_lift, size * 1.2, size * brow_thick, 2, 0, side * brow_tilt),
            brow,
            1.8,
            0.85,
        )
    if rng.random() < 0.3:
        _beard(canvas, mouth, half_h, half_w, hair, rng)
    with_eyes = []
    for opened in (True, False):
        copy = canvas.copy()
        for side in (-1, 1):
            _eye(copy, x + side * spread, eye_y, size, iris, skin, opened)
        with_eyes.append(copy)
    fringe = None if bald else _fringe(x, y, half_w, half_h, rng)
    glasses = float(rng.uniform(1.5, 4)) if rng.random() < 0.2 else 0.0
    light = _light(rng)
    finished = []
    texture = _noise(rng, 160) * float(rng.uniform(0.5, 3)) + _noise(rng, 24) * float(rng.uniform(0.5, 3.5))
    for unlit in with_eyes:
        copy = unlit.copy()
        if fringe is not None:
            blend(copy, fringe, hair, 3)
        for side in (-1, 1) if glasses else ():
            ring = oval(x + side * spread, eye_y + 2, size * 1.45, size * 1.15, 2.8)
            cv2.polylines(
                copy, [np.round(ring * 16).astype(np.int32)], True, (25, 25, 30), int(glasses), cv2.LINE_AA, 4
            )
        lit = np.clip((copy + texture) * light, 0, 255)
        finished.append(cv2.GaussianBlur(lit.astype(np.uint8), (0, 0), 0.8))
    at_mouth = light[int(mouth.y), int(mouth.x)]
    mouth = replace(
        mouth,
        lip=_lit(mouth.lip, at_mouth), cavity=_lit(mouth.cavity, at_mouth),
        teeth=_lit(mouth.teeth, at_mouth), tongue=_lit(mouth.tongue, at_mouth),
    )  # fmt: skip
    top, bottom = y - 0.72 * half_h, y + half_h * 0.98
    box = (x - half_w * 0.92, top, half_w * 1.84, bottom - top)
    return Face(np.asarray(finished[0], np.uint8), np.asarray(finished[1], np.uint8), mouth, box, style)


def _lit(colour: Colour, light: npt.NDArray[np.float32]) -> Colour:
    lit = np.clip(np.asarray(colour) * light, 0, 255)
    return (float(lit[0]), float(lit[1]), float(lit[2]))


def _light(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A soft light from one side, with a tint: factors of about 0.5 to 1.4, (CANVAS, CANVAS, 3)."""
    angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    ramp = np.linspace(-1, 1, CANVAS, dtype=np.float32)
    slope = np.cos(angle) * ramp[None, :] + np.sin(angle) * ramp[:, None]
    tint = 1 + rng.normal(size=3) * 0.04
    level = rng.uniform(0.75, 1.1)
    return np.asarray((level * (1 + strength * slope))[:, :, None] * tint, np.float32)


def _nose(
    canvas: npt.NDArray[np.float32], x: float, y: float, half_h: float, skin: Colour, rng: np.random.Generator
) -> None:
    tip = y + half_h * float(rng.uniform(0.22, 0.28))
    wide = half_h * float(rng.uniform(0.11, 0.16))
    for side in (-1, 1):
        bridge = np.array(
            [
                [x + side * wide * 0.45, y - half_h * 0.12],
                [x + side * wide * 0.75, y - half_h * 0.1],
                [x + side * wide * 1.05, tip],
                [x + side * wide * 0.6, tip],
            ]
        )
        blend(canvas, bridge, shade(skin, 0.78), 4, 0.6 if side < 0 else 0.35)
        blend(canvas, oval(x + side * wide * 0.5, tip + 4, wide * 0.26, wide * 0.16), shade(skin, 0.35), 1.3, 0.9)
    blend(canvas, oval(x, y + half_h * 0.06, wide * 0.28, half_h * 0.18), shade(skin, 1.15), 4, 0.6)
    blend(canvas, oval(x, tip - 4, wide * 0.5, wide * 0.4), shade(skin, 1.12), 4, 0.6)
    blend(canvas, oval(x, tip + 9, wide * 1.0, wide * 0.25), shade(skin, 0.7), 3, 0.6)


def _mouth(
    rng: np.random.Generator, x: float, y: float, half_h: float, skin: Colour, style: Literal["drawn", "warped"]
) -> Mouth:
    redness = float(rng.uniform(0.15, 0.85))
    lip = shade(mix(skin, (80, 75, 190), redness), float(rng.uniform(0.72, 0.95)))
    return Mouth(
        x + float(rng.uniform(-2, 2)), y, half_h * float(rng.uniform(0.26, 0.35)), lip,
        cavity=shade((30, 22, 45), float(rng.uniform(0.5, 1.6))),
        teeth=shade((205, 215, 222), float(rng.uniform(0.75, 1.1))),
        tongue=shade((95, 85, 165), float(rng.uniform(0.7, 1.1))),
        upper=float(rng.uniform(0.12, 0.24)), lower=float(rng.uniform(0.2, 0.34)), bow=float(rng.uniform(0, 0.5)),
        gap=float(rng.uniform(0.6, 1.0)), teeth_share=float(rng.uniform(0, 0.5)), line=float(rng.uniform(-0.06, 0.06)),
        jaw=float(rng.uniform(0.3, 1.0)) if style == "drawn" else 1.0,
    )  # fmt: skip


def _folds(
    canvas: npt.NDArray[np.float32], mouth: Mouth, half_h: float, skin: Colour, rng: np.random.Generator
) -> None:
    strength = float(rng.uniform(0, 0.55))
    for side in (-1, 1):
        fold = np.array([[0.55, -0.95], [0.65, -0.95], [1.35, -0.1], [1.25, 0.05]]) * mouth.half_width * (side, 1)
        blend(canvas, fold + np.array([mouth.x, mouth.y]), shade(skin, 0.72), 3.5, strength)
    dent = oval(mouth.x, mouth.y + mouth.half_width * 0.62, mouth.half_width * 0.5, mouth.half_width * 0.1)
    blend(canvas, dent, shade(skin, 0.7), 4, float(rng.uniform(0.2, 0.7)))
    chin = oval(mouth.x, mouth.y + half_h * 0.3, mouth.half_width * 0.5, mouth.half_width * 0.3)
    blend(canvas, chin, shade(skin, 1.1), 6, float(rng.uniform(0.1, 0.5)))


def _beard(
    canvas: npt.NDArray[np.float32], mouth: Mouth, half_h: float, half_w: float, hair: Colour, rng: np.random.Generator
) -> None:
    strength = float(rng.uniform(0.2, 0.85))
    wide = mouth.half_width
    if rng.random() < 0.6:
        jaw = oval(mouth.x, mouth.y + half_h * 0.16, half_w * 0.72, half_h * 0.3, 2.4)
        blend(canvas, jaw, hair, 8, strength)
    if rng.random() < 0.8:
        blend(canvas, oval(mouth.x, mouth.y - wide * 0.42, wide * 0.95, wide * 0.16, 2.5), hair, 3, strength)


def _fringe(x: float, y: float, half_w: float, half_h: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    line = y - half_h * float(rng.uniform(0.55, 0.72))
    xs = np.linspace(-1.08, 1.08, 13)
    parting = float(rng.uniform(-0.6, 0.6))
    lower = line + half_h * (0.12 * (xs - parting) ** 2 + rng.uniform(-0.03, 0.03, size=13))
    upper = y - half_h * np.sqrt(np.clip(1.25 - (xs * 0.95) ** 2, 0.02, None))
    return np.concatenate([np.stack([x + xs * half_w, lower], 1), np.stack([x + xs[::-1] * half_w, upper[::-1]], 1)])
