"""From a portrait and a movement to frames: the still lips are parted, the gap is painted, the head sways."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from sonic_lite.motion import Motion
from sonic_lite.portrait import Anatomy, Image
from sonic_lite.quality import SOFTNESS

Floats = npt.NDArray[np.float32]
Curve = npt.NDArray[np.float64]
_ACROSS = np.linspace(-1.0, 1.0, 25)
_BOW = (1.0 - _ACROSS**2) ** 0.75
_GAP = 0.85
"""How far the lips part at most, as a share of the mouth's half width."""


class Animator:
    """One portrait, ready to be moved.

    All lengths inside are in units of the mouth's half width, with the middle of the lips as origin.
    """

    def __init__(self, image: Image, anatomy: Anatomy, expand_ratio: float) -> None:
        """Prepare what stays the same from frame to frame.

        image: uint8 ``(size, size, 3)``, BGR. expand_ratio: how far the movement reaches past the mouth's own
        surroundings, as a share of the face's side.
        """
        self._image = image
        self._size = len(image)
        self._unit = anatomy.half_width
        grown = anatomy.box[2] * expand_ratio / self._unit
        x, y = anatomy.mouth_x, anatomy.mouth_y
        left, right = x - (1.3 + grown) * self._unit, x + (1.3 + grown) * self._unit
        top, bottom = y - (0.6 + 0.8 * grown) * self._unit, y + (1.6 + 1.2 * grown) * self._unit
        limit = self._size
        self._area = (max(int(left), 0), max(int(top), 0), min(int(right) + 1, limit), min(int(bottom) + 1, limit))
        x0, y0, x1, y1 = self._area
        self._patch = np.ascontiguousarray(image[y0:y1, x0:x1])
        self._middle = (x - x0, y - y0)
        self._u = ((np.arange(x1 - x0, dtype=np.float32) - self._middle[0]) / self._unit)[None, :]
        self._v = ((np.arange(y1 - y0, dtype=np.float32) - self._middle[1]) / self._unit)[:, None]
        self._near = np.exp(-((np.abs(self._v) / 0.9) ** 2)) * np.exp(-((np.abs(self._u) / 1.5) ** 2))
        self._below = np.clip(((bottom - y0 - self._middle[1]) / self._unit - self._v) / 1.4, 0, 1)
        self._window = _window(y1 - y0, x1 - x0)
        self._dark, self._teeth, self._tongue = _colours(image, anatomy)

    def frames(self, motion: Motion) -> Iterator[Image]:
        """The frames, one after the other: uint8 ``(size, size, 3)``, BGR."""
        for shape, light, head in zip(motion.mouth, motion.light, motion.head, strict=True):
            frame = self._moved(self._speaking(shape), head)
            if SOFTNESS > 0:
                frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), SOFTNESS * self._size / 256), np.uint8)
            if abs(float(light) - 1) > 1e-3:
                frame = np.asarray(cv2.convertScaleAbs(frame, alpha=float(light)), np.uint8)
            yield frame

    def _speaking(self, shape: Floats) -> Image:
        opened, width, rounding = (float(v) for v in shape)
        half = 1 + 0.16 * max(width, 0.0) + 0.12 * min(width, 0.0) - 0.26 * rounding - 0.06 * min(opened, 1.0)
        gap = opened * _GAP + 0.10 * rounding * min(1.0, 6 * opened)
        rise, drop = 0.24 * gap, 0.76 * gap
        moved = self._parted(half, rise, drop)
        if gap > 0.03:
            self._paint_inside(moved, half, rise, drop)
        x0, y0, x1, y1 = self._area
        image = self._image.copy()
        np.copyto(image[y0:y1, x0:x1], cv2.blendLinear(moved, self._patch, self._window, 1 - self._window))
        return image

    def _parted(self, half: float, rise: float, drop: float) -> Image:
        """The lips of the still picture, pulled apart and to their width."""
        u, v = self._u, self._v
        arc = np.clip(1 - (u / half) ** 2, 0, 1) ** 0.75
        fading = np.exp(np.clip(v - drop * arc, 0, None) * (-1 / 0.35))
        jaw = drop * (arc * fading + 0.6 * np.exp(-((u / 1.5) ** 2)) * (1 - fading)) * self._below
        above = np.clip(-rise * arc - v, 0, None)
        lift = rise * arc * np.exp(-((above / 0.45) ** 2))
        source_v = np.where(v > 0.5 * (drop - rise) * arc, v - jaw, v + lift)
        source_u = u * (1 + (1 / half - 1) * self._near)
        map_x = (source_u * self._unit + self._middle[0]).astype(np.float32)
        map_y = (source_v * self._unit + self._middle[1]).astype(np.float32)
        moved = cv2.remap(self._patch, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    def _paint_inside(self, patch: Image, half: float, rise: float, drop: float) -> None:
        across = _ACROSS * half * 0.94
        up, low = -rise * _BOW, drop * _BOW
        self._fill(patch, across, up, low, self._dark)
        gap = low - up
        if gap.max() > 0.25:
            self._fill(patch, across * 0.7, low - gap * 0.4, low - 0.02, self._tongue)
        teeth = np.minimum(gap * 0.55, 0.26)
        if teeth.max() > 0.03:
            self._fill(patch, across * 0.86, up, up + teeth, self._teeth)

    def _fill(self, patch: Image, across: Curve, up: Curve, low: Curve, colour: Floats) -> None:
        outline = np.concatenate([np.stack([across, up], 1), np.stack([across[::-1], low[::-1]], 1)])
        points = np.round((outline * self._unit + self._middle) * 16).astype(np.int32)
        cv2.fillPoly(patch, [points], [float(c) for c in colour], cv2.LINE_AA, 4)

    def _moved(self, image: Image, head: Floats) -> Image:
        right, down, turn, zoom = (float(v) for v in head)
        if max(abs(right), abs(down), abs(turn), abs(zoom)) < 1e-6:
            return image
        middle = self._size / 2
        matrix = cv2.getRotationMatrix2D((middle, middle), np.degrees(turn), 1 + zoom)
        matrix[:, 2] += np.array([right, down]) * self._size
        size = (self._size, self._size)
        moved = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)


def _window(rows: int, columns: int) -> Floats:
    """1 in the middle, falling softly to 0 at the edges: float32 ``(rows, columns)``."""
    down = np.minimum(np.linspace(0, 8, rows), np.linspace(6, 0, rows))
    along = np.minimum(np.linspace(0, 8, columns), np.linspace(8, 0, columns))
    share = np.clip(np.minimum(down[:, None], along[None, :]), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _colours(image: Image, anatomy: Anatomy) -> tuple[Floats, Floats, Floats]:
    """Colours of the mouth's dark, of the teeth and of the tongue in the light of this picture."""
    x, y, reach = int(anatomy.mouth_x), int(anatomy.mouth_y), max(int(anatomy.half_width), 4)
    around = image[max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach].reshape(-1, 3).astype(np.float32)
    brightness = float(np.clip(np.quantile(around.mean(axis=1), 0.8) / 190, 0.45, 1.15)) if len(around) else 1.0
    grey = len(around) > 0 and float(np.ptp(around, axis=1).max()) < 3
    colours = np.array([[30, 22, 45], [200, 210, 218], [95, 85, 165]], np.float32) * brightness
    if grey:
        colours[:] = (colours @ np.array([0.114, 0.587, 0.299], np.float32))[:, None]
    dark, teeth, tongue = np.clip(colours, 0, 255)
    return dark, teeth, tongue
