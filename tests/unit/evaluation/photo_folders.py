"""Folders of small photos, their true mattes, and answers of two models to them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from tests.unit.families.matting.drawn_mattes import cutout, disc, save

SLICES = "hair: [anna, 'bob']\nshadow: [cleo.jpg]\n"


def photo_folders(root: Path, names: tuple[str, ...] = ("anna", "bob", "cleo")) -> Path:
    """``photos``, ``mattes``, ``new`` (nearly right) and ``old`` (a disc that is too large), and ``slices.yaml``."""
    for index, name in enumerate(names):
        radius = 15 + index
        photo = np.full((60, 80, 3), 90 + index, np.uint8)
        save(root / "photos" / f"{name}.jpg", photo)
        save(root / "mattes" / f"{name}.png", disc(radius=radius))
        new = disc(radius=radius)
        cv2.circle(new, (3, 3), 1, 255, -1)
        save(root / "new" / f"{name}.png", cutout(new))
        save(root / "old" / f"{name}.png", cutout(disc(radius=radius + 4)))
    (root / "slices.yaml").write_text(SLICES, encoding="utf-8")
    return root
