"""Vectors of faces, drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

PEOPLE, IMAGES, VALUES = 30, 3, 32
WHOSE = np.array([f"person {number}" for number in np.repeat(np.arange(PEOPLE), IMAGES)])
NAMES = np.array([f"image {number}.png" for number in range(PEOPLE * IMAGES)])


def vectors(seed: int = 1) -> np.ndarray:
    """Unit vectors of 30 people, three images each."""
    random = np.random.default_rng(seed)
    rows = np.repeat(random.normal(size=(PEOPLE, VALUES)), IMAGES, axis=0)
    rows += random.normal(size=rows.shape)
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def turned(rows: np.ndarray) -> np.ndarray:
    """The same model but for a rotation: as good, and incompatible."""
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(VALUES, VALUES)))[0]
    return (rows @ turn).astype(np.float32)


def save(path: Path, rows: np.ndarray, **more: np.ndarray) -> Path:
    """A file with identities, unless ``identities=None``."""
    arrays = {"embeddings": rows, "identities": WHOSE[: len(rows)], **more}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path
