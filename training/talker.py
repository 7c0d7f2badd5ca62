"""Talking faces: a `Face` and a mouth track become video frames, in the framing of SyncNet's face crop.

Needs only NumPy and OpenCV. Two ways to move a mouth, so that no network learns one of them by heart:
"drawn" paints lips, teeth and tongue anew in every frame; "warped" pushes the closed lips of a still image apart
and fills the gap, as a model that animates a portrait does.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.face import CANVAS, Face, Image, Mouth
from training.painting import Colour

__all__ = ["CANVAS", "Face", "crop_of", "portrait", "render"]

Track = npt.NDArray[np.float32]
_XS = np.linspace(-1.0, 1.0, 25)
_ARC = (1.0 - _XS**2) ** 0.75
_PATCH_LEFT, _PATCH_UP, _PATCH_DOWN = 2.1, 1.3, 2.9


def portrait(face: Face, size: int = CANVAS) -> Image:
    """The person at rest, lips closed, eyes open: uint8 (size, size, 3), BGR."""
    image = _with_mouth(face, face.open_eyes, (0.0, 0.0, 0.0), 0.0)
    if size == CANVAS:
        return image
    how = cv2.INTER_AREA if size < CANVAS else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (size, size), interpolation=how), np.uint8)


def crop_of(box: tuple[float, float, float, float], scale: float = 0.40) -> tuple[float, float, float]:
    """SyncNet's square around a face box (x, y, width, height): its left, its top and its side, in pixels."""
    x, y, width, height = box
    half = max(width, height) / 2
    return x + width / 2 - half * (1 + scale), y + height / 2 - half, half * (2 + 2 * scale)


def render(
    face: Face,
    track: Track,
    rng: np.random.Generator,
    *,
    size: int = 224,
    motion: float = 1.0,
    jitter: float = 1.0,
    mouth_blur: float = 0.0,
) -> Image:
    """Video of the face saying what the track says: uint8 (len(track), size, size, 3), BGR.

    motion: how much head, light and noise move (0 is a tripod in a studio). jitter: how far the crop is off
    (1 is +-8 % of its side, and -12 to +26 % in size). mouth_blur: sigma in canvas pixels of a blur
    over the mouth alone.
    """
    count = len(track)
    left, top, side = crop_of(face.box)
    left += side * 0.08 * jitter * rng.uniform(-1, 1)
    top += side * 0.08 * jitter * rng.uniform(-1, 1)
    grown = side * (1 + jitter * rng.uniform(-0.12, 0.26))
    left, top, side = left + (side - grown) / 2, top + (side - grown) / 2, grown
    sway = _wander(rng, count, 5) * motion * (2.5, 2.0, 0.02, 0.008, 0.015)
    blinks = _blinks(rng, count)
    noise_sd = float(rng.uniform(0, 4)) * motion
    noises = [np.zeros((size, size, 3), np.int16)]
    if noise_sd > 0.3:
        noises = [rng.normal(0, noise_sd, (size, size, 3)).astype(np.int16) for _ in range(4)]
    frames = np.empty((count, size, size, 3), np.uint8)
    for i, shape in enumerate(np.asarray(track, np.float64)):
        base = face.closed_eyes if blinks[i] else face.open_eyes
        image = _with_mouth(face, base, (shape[0], shape[1], shape[2]), mouth_blur)
        dx, dy, turn, zoom, light = sway[i]
        scale = size / side * (1 + zoom)
        cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
        middle = np.array([left + side / 2 + dx, top + side / 2 + dy])
        matrix = np.array([[cos, -sin, 0.0], [sin, cos, 0.0]])
        matrix[:, 2] = size / 2 - matrix[:, :2] @ middle
        frame = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grain = noises[int(rng.integers(len(noises)))]
        cv2.add(frame, grain, dst=frames[i], dtype=cv2.CV_8U)
        if abs(light) > 0.004:
            cv2.convertScaleAbs(frames[i], dst=frames[i], alpha=1 + float(light))
    return frames


def _wander(rng: np.random.Generator, count: int, channels: int) -> npt.NDArray[np.float64]:
    """Smooth random movement, sd about 1."""
    knots = max(count // 12 + 3, 4)
    values = rng.normal(size=(knots, channels)).astype(np.float32)
    grown = cv2.resize(values, (channels, count), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown, np.float64).reshape(count, channels)


def _blinks(rng: np.random.Generator, count: int) -> npt.NDArray[np.bool_]:
    closed = np.zeros(count, np.bool_)
    at = int(rng.integers(5, 90))
    while at < count:
        closed[at : at + 4] = True
        at += int(rng.integers(40, 120))
    return closed


def _with_mouth(face: Face, base: Image, shape: tuple[float, float, float], blur: float) -> Image:
    mouth = face.mouth
    wide = mouth.half_width
    x0, x1 = max(int(mouth.x - _PATCH_LEFT * wide), 0), min(int(mouth.x + _PATCH_LEFT * wide), CANVAS)
    y0, y1 = max(int(mouth.y - _PATCH_UP * wide), 0), min(int(mouth.y + _PATCH_DOWN * wide), CANVAS)
    patch = np.ascontiguousarray(base[y0:y1, x0:x1])
    centre = (mouth.x - x0, mouth.y - y0)
    opened, width, rounding = shape
    if face.style == "drawn":
        patch = _jaw(patch, mouth, centre, opened)
        _draw_mouth(patch, mouth, centre, shape, closed_only=False)
    else:
        if face.open_eyes is not face.closed_eyes:  # a drawn person has no lips yet; a photograph has
            _draw_mouth(patch, mouth, centre, (0.0, 0.0, 0.0), closed_only=True)
        patch = _warp(patch, mouth, centre, opened, width, rounding)
    if blur > 0:
        soft = cv2.GaussianBlur(patch, (0, 0), blur)
        share = _window(patch.shape[0], patch.shape[1])
        patch = np.asarray(patch + (soft.astype(np.float32) - patch) * share, np.float32).astype(np.uint8)
    image = base.copy()
    image[y0:y1, x0:x1] = patch
    return image


def _window(rows: int, columns: int) -> npt.NDArray[np.float32]:
    down = np.clip(1.5 * np.sin(np.linspace(0, np.pi, rows)), 0, 1)
    along = np.clip(1.5 * np.sin(np.linspace(0, np.pi, columns)), 0, 1)
    return (down[:, None] * along[None, :])[:, :, None].astype(np.float32)


def _grid(
    patch: Image, centre: tuple[float, float], wide: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    rows, columns = patch.shape[:2]
    u = (np.arange(columns, dtype=np.float32) - centre[0]) / wide
    v = (np.arange(rows, dtype=np.float32) - centre[1]) / wide
    return u[None, :], v[:, None]


def _jaw(patch: Image, mouth: Mouth, centre: tuple[float, float], opened: float) -> Image:
    """The chin goes down with the jaw."""
    drop = opened * mouth.gap * mouth.jaw * 0.6
    if drop < 0.01:
        return patch
    u, v = _grid(patch, centre, mouth.half_width)
    rise = np.clip(v / 0.6, 0, 1) * np.clip((2.7 - v) / 1.6, 0, 1)
    fall = np.clip(1.5 - 0.75 * np.abs(u), 0, 1)
    source_y = (v - drop * rise * fall) * mouth.half_width + centre[1]
    source_x = np.broadcast_to(u * mouth.half_width + centre[0], source_y.shape)
    moved = cv2.remap(patch, source_x.astype(np.float32), source_y.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8)


def _extent(shape: tuple[float, float, float], mouth: Mouth) -> tuple[float, float, float]:
    """Half width, rise of the upper and drop of the lower lip, as shares of the mouth's half width at rest."""
    opened, width, rounding = shape
    half = 1 + 0.16 * max(width, 0.0) + 0.12 * min(width, 0.0) - 0.28 * rounding - 0.06 * opened
    gap = opened * mouth.gap + 0.10 * rounding * min(1.0, 6 * opened)
    return half, 0.24 * gap, 0.76 * gap


def _draw_mouth(
    patch: Image, mouth: Mouth, centre: tuple[float, float], shape: tuple[float, float, float], *, closed_only: bool
) -> None:
    wide = mouth.half_width
    half, rise, drop = _extent(shape, mouth)
    rounding = shape[2]
    bend = mouth.line * _XS**2
    xs = _XS * half
    inner_up, inner_low = bend - rise * _ARC, bend + drop * _ARC
    bow = 1 - mouth.bow * np.exp(-((_XS / 0.16) ** 2))
    outer_up = inner_up - mouth.upper * (1 + 0.35 * rounding) * (1 - np.abs(_XS) ** 2.0) * bow - 0.015
    outer_low = inner_low + mouth.lower * (1 + 0.3 * rounding) * (1 - np.abs(_XS) ** 2.6) + 0.015
    _fill(patch, xs, outer_up, outer_low, wide, centre, mouth.lip)
    shine = (inner_low + 0.35 * mouth.lower, inner_low + 0.6 * mouth.lower)
    bright = (min(mouth.lip[0] * 1.16, 255), min(mouth.lip[1] * 1.16, 255), min(mouth.lip[2] * 1.1, 255))
    _fill(patch, xs * 0.5, shine[0], shine[1], wide, centre, bright)
    if closed_only or rise + drop < 0.03:
        dark = (mouth.lip[0] * 0.45, mouth.lip[1] * 0.45, mouth.lip[2] * 0.5)
        _fill(patch, xs * 0.97, bend - 0.02, bend + 0.025, wide, centre, dark)
    else:
        _inside(patch, xs * 0.94, inner_up, inner_low, wide, centre, mouth)
    x, y = int(centre[0]), int(centre[1])
    reach = int(1.3 * wide)
    area = patch[max(y - reach, 0) : y + int(1.9 * wide), max(x - reach, 0) : x + reach]
    cv2.GaussianBlur(area, (3, 3), 0, dst=area)


def _inside(
    patch: Image,
    xs: npt.NDArray[np.float64],
    up: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    wide: float,
    centre: tuple[float, float],
    mouth: Mouth,
) -> None:
    """What an open mouth shows: the dark, the tongue, the upper teeth."""
    _fill(patch, xs, up, low, wide, centre, mouth.cavity)
    gap = low - up
    if gap.max() > 0.25:
        tongue = low - gap * 0.4
        _fill(patch, xs * 0.7, tongue, low - 0.02, wide, centre, mouth.tongue)
    teeth = np.minimum(gap * 0.6, mouth.teeth_share)
    if teeth.max() > 0.03:
        _fill(patch, xs * 0.86, up, up + teeth, wide, centre, mouth.teeth)


def _fill(
    patch: Image,
    xs: npt.NDArray[np.float64],
    up: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    wide: float,
    centre: tuple[float, float],
    colour: Colour,
) -> None:
    points = np.concatenate([np.stack([xs, up], 1), np.stack([xs[::-1], low[::-1]], 1)]) * wide + centre
    cv2.fillPoly(patch, [np.round(points * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def _warp(
    patch: Image, mouth: Mouth, centre: tuple[float, float], opened: float, width: float, rounding: float
) -> Image:
    """Pull the lips of a still image apart; the gap is filled with the inside of a mouth."""
    half, rise, drop = _extent((opened, width, rounding), mouth)
    wide = mouth.half_width
    u, v = _grid(patch, centre, wide)
    bend = mouth.line * u**2
    near = np.exp(-((np.abs(v) / 0.9) ** 2)) * np.exp(-((np.abs(u) / 1.5) ** 2))
    source_u = u * (1 + (1 / half - 1) * near)
    arc = np.clip(1 - (u / half) ** 2, 0, 1) ** 0.75
    edge_up, edge_low = bend - rise * arc, bend + drop * arc
    below = np.clip(v - edge_low, 0, None)
    above = np.clip(edge_up - v, 0, None)
    wider = np.exp(-((u / 1.5) ** 2))
    jaw = (
        drop
        * (arc * np.exp(-below / 0.35) + 0.6 * wider * (1 - np.exp(-below / 0.35)))
        * np.clip((2.7 - v) / 1.5, 0, 1)
    )
    lift = rise * arc * np.exp(-((above / 0.45) ** 2))
    source_v = np.where(v > 0.5 * (edge_up + edge_low), v - jaw, v + lift)
    map_x = (source_u * wide + centre[0]).astype(np.float32)
    map_y = (source_v * wide + centre[1]).astype(np.float32)
    moved = np.asarray(cv2.remap(patch, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)
    if rise + drop > 0.03:
        xs = _XS * half
        line = mouth.line * xs**2
        _inside(moved, xs, line - rise * _ARC, line + drop * _ARC, wide, centre, mouth)
    return moved
