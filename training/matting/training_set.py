"""Scenes to learn from: other seeds than the suite's, kept in memory as bytes."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass

import cv2
import numpy as np

from training.matting.layers import Pixels
from training.matting.scenes import KINDS

SEED = 20_260_301
SHARES = {
    "hair": 7, "light-hair": 4, "fur": 3, "hair-complex": 4, "hair-low-contrast": 4, "complex": 3, "low-contrast": 3,
    "shadow-keep": 3, "shadow-drop": 3, "glass": 3, "cloth": 3,
}  # fmt: skip
"""How often each kind of scene comes."""


@dataclass(frozen=True)
class Examples:
    """image: uint8 ``(n, SIZE, SIZE, 3)``, RGB; alpha: uint8 ``(n, SIZE, SIZE)``."""

    image: Pixels
    alpha: Pixels


def example(number: int) -> tuple[Pixels, Pixels]:
    """Image and alpha of one scene."""
    cv2.setNumThreads(1)
    order = [kind for kind, share in SHARES.items() for _ in range(share)]
    scene = KINDS[order[number % len(order)]](np.random.default_rng([SEED, number]))
    return scene.image, scene.alpha


def examples(count: int, processes: int, first: int = 0) -> Examples:
    """``count`` scenes from the number ``first`` on, the same each time."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        made = pool.map(example, range(first, first + count), chunksize=8)
    return Examples(np.stack([image for image, _ in made]), np.stack([alpha for _, alpha in made]))
