"""Mouths whose opening is known: pictures for training and testing the extractor `lip-opening`."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.face import Face, Image
from training.talker import render

CROP_LEFT, CROP_TOP, CROP_SIDE = 52, 66, 120
"""The lower face in SyncNet's crop of 224 pixels, as `syncnet-compact` looks at it."""
INPUT_SIDE = 60
CLOSED_SHARE = 0.3
SMALL_SHARE = 0.45


@dataclass(frozen=True)
class Mouths:
    """Pictures, uint8 (n, 60, 60, 3) BGR, and how far the lips are apart in them, as a share of the mouth's width."""

    pictures: Image
    openings: npt.NDArray[np.float32]


def random_track(count: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Shapes of a mouth: three in ten closed, most others little open. float32 (count, 3)."""
    kind = rng.random(count)
    opened = np.where(kind < CLOSED_SHARE + SMALL_SHARE, rng.uniform(0.02, 0.35, count), rng.uniform(0.35, 1.0, count))
    opened[kind < CLOSED_SHARE] = 0.0
    width, rounding = rng.uniform(-0.7, 0.9, count), np.clip(rng.uniform(-0.6, 1.0, count), 0, 1)
    return np.stack([opened, width, rounding], axis=1).astype(np.float32)


def openings(face: Face, track: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far `training.talker` parts the lips, as a share of the mouth's width at rest: float32 (frames,)."""
    gap = track[:, 0] * face.mouth.gap + 0.10 * track[:, 2] * np.minimum(1.0, 6 * track[:, 0])
    return np.asarray(gap / 2, np.float32)


def make_mouths(seed: int, frames: int) -> Mouths:
    """Mouths of one new person, seen as a video might show them: its place, its sharpness and its light vary."""
    rng = np.random.default_rng(seed)
    face = Face.random(rng)
    track = random_track(frames, rng)
    crops = render(face, track, rng, mouth_blur=float(rng.choice([0.0, 0.0, 1.5, 3.0])))
    return Mouths(np.stack([_seen(crop, rng) for crop in crops]), openings(face, track))


def small(crop: Image) -> Image:
    """What the network sees of a crop of 224 pixels: uint8 (60, 60, 3)."""
    cut = crop[CROP_TOP : CROP_TOP + CROP_SIDE, CROP_LEFT : CROP_LEFT + CROP_SIDE]
    return np.asarray(cv2.resize(cut, (INPUT_SIDE, INPUT_SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _seen(crop: Image, rng: np.random.Generator) -> Image:
    side = int(rng.integers(90, 225))
    seen = cv2.resize(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), (224, 224))
    if rng.random() < 0.3:
        seen = cv2.GaussianBlur(seen, (0, 0), float(rng.uniform(0.5, 2.0)))
    if rng.random() < 0.5:
        quality = int(rng.integers(35, 96))
        seen = cv2.imdecode(cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return small(np.asarray(seen, np.uint8))
