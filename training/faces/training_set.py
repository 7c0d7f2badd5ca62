"""What face-lite learns from: people that its suite does not show."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from training.faces.drawing import Photo, Pixels, photo
from training.faces.look import look
from training.faces.oddities import ODD, empty
from training.faces.person import person

SEED = 29
"""The suite's is another."""
NOBODY = -1
GOOD = "good"


@dataclass(frozen=True)
class Examples:
    """Photographs.

    Attributes:
        images: uint8 (n, 160, 160, 3), RGB.
        boxes: float64 (n, 4): x, y, width, height in pixels; zeros where there is no face.
        landmarks: float64 (n, 3, 2).
        who: int (n,): whose, or NOBODY.
        kinds: (n,): GOOD, ``no-face``, or a kind of :data:`training.faces.oddities.ODD`.
        severity: float64 (n,): 0 of those that are good.
    """

    images: Pixels
    boxes: npt.NDArray[np.float64]
    landmarks: npt.NDArray[np.float64]
    who: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.str_]
    severity: npt.NDArray[np.float64]


def _of_person(number: int, good: int, odd: int) -> list[tuple[Photo, int, str, float]]:
    cv2.setNumThreads(1)
    who = person(np.random.default_rng([SEED, 0, number]))
    made = []
    for index in range(good):
        rng = np.random.default_rng([SEED, 1, number, index])
        made.append((photo(who, look(rng), rng), number, GOOD, 0.0))
    for index in range(odd):
        rng = np.random.default_rng([SEED, 2, number, index])
        kind = list(ODD)[int(rng.integers(len(ODD)))]
        severity = 1.0 if kind in ("mask", "several-faces") else float(rng.random())
        made.append((ODD[kind](who, rng, severity), number, kind, severity))
    rng = np.random.default_rng([SEED, 3, number])
    made.append((Photo(empty(rng), (0, 0, 0, 0), np.zeros((3, 2))), NOBODY, "no-face", 1.0))
    return made


def examples(people: int, good: int, odd: int, processes: int = 2) -> Examples:
    """``good`` photographs of each of so many people, ``odd`` ones besides, and one of a room without them."""
    wanted = [(number, good, odd) for number in range(people)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        made = [found for each in pool.starmap(_of_person, wanted, chunksize=8) for found in each]
    return Examples(
        images=np.stack([found[0].image for found in made]),
        boxes=np.array([found[0].box for found in made], np.float64),
        landmarks=np.stack([found[0].landmarks for found in made]),
        who=np.array([found[1] for found in made]),
        kinds=np.array([found[2] for found in made]),
        severity=np.array([found[3] for found in made]),
    )
