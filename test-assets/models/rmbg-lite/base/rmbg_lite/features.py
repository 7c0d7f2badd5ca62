"""What the network sees of a picture: its colours, and how they differ from what is beside and above the subject."""

from __future__ import annotations

import cv2
import numpy as np

from rmbg_lite.picture import Pixels
from rmbg_lite.weights import Floats

MEAN, SPREAD = 0.5, 0.25
BORDER, SMOOTH = 4, 15
"""A background is guessed from so many pixels at the border, over so many rows or columns."""


def features(picture: Pixels) -> Floats:
    """float32 ``(9, h, w)`` of uint8 ``(h, w, 3)``, RGB.

    Colours in 0..1, less MEAN, divided by SPREAD; these less a blend of the row's two ends; and less the column's top.
    """
    return against(scaled(picture), *ends(picture))


def scaled(picture: Pixels) -> Floats:
    """float32 ``(h, w, 3)``."""
    return np.asarray((picture.astype(np.float32) / 255 - MEAN) / SPREAD, np.float32)


def ends(picture: Pixels) -> tuple[Floats, Floats]:
    """The guessed backgrounds, float32: of each row at its left and right ``(h, 2, 3)``, of each column ``(w, 3)``."""
    sides = [scaled(part).mean(axis=1) for part in (picture[:, :BORDER], picture[:, -BORDER:])]
    top = scaled(picture[:BORDER]).mean(axis=0)
    return cv2.blur(np.stack(sides, axis=1), (1, SMOOTH)), cv2.blur(top[:, None], (1, SMOOTH))[:, 0]


def against(colours: Floats, sides: Floats, top: Floats, share: Floats | None = None) -> Floats:
    """The features of colours ``(h, w, 3)`` with these backgrounds; ``share``: how far right each column is, 0..1."""
    if share is None:
        share = (np.arange(colours.shape[1], dtype=np.float32) + np.float32(0.5)) / colours.shape[1]
    beside = sides[:, :1] * (1 - share)[:, None] + sides[:, 1:] * share[:, None]
    found = np.empty((9, *colours.shape[:2]), np.float32)
    for first, values in ((0, colours), (3, colours - beside), (6, colours - top)):
        found[first : first + 3] = values.transpose(2, 0, 1)
    return found
