"""CSV files of comparisons and of qualities, drawn."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

PEOPLE, IMAGES = 16, 3


def write_comparisons(path: Path, *, identities: bool = True) -> Path:
    """All pairs of the images of 16 people: 48 genuine and 1,080 impostor pairs."""
    first, second = np.triu_indices(PEOPLE * IMAGES, 1)
    same = first // IMAGES == second // IMAGES
    scores = np.random.default_rng(1).normal(2.0 * same)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["score", "same", *(["identity_a", "identity_b"] if identities else [])])
        for score, one, a, b in zip(scores, same, first // IMAGES, second // IMAGES, strict=True):
            names = [f"Lee, person {a}", f"Lee, person {b}"] if identities else []
            writer.writerow([f"{score:.6f}", int(one), *names])
    return path


def write_qualities(path: Path, *, errors: bool = True, highest: float = 1.0) -> Path:
    """60 usable images and 40 out of distribution."""
    random = np.random.default_rng(2)
    quality = np.concatenate([random.beta(6, 2, 60), random.beta(2, 4, 40)]) * highest
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["quality", "ood", *(["error"] if errors else [])])
        for number, each in enumerate(quality):
            writer.writerow([f"{each:.4f}", int(number >= 60), *([int(random.random() > each)] if errors else [])])
    return path
