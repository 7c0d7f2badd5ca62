"""Whose face it is, as a vector, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from face_lite import align, quality
from face_lite.finder import Face, Finder
from face_lite.network import Floats, Network, scaled
from face_lite.picture import Pixels

FEATURES = 512


@dataclass(frozen=True)
class Seen:
    """What was seen on one photograph.

    feature: float32 (512,), of length 1. quality: 0..1. area: the face's share of the photograph, 0..1.
    """

    feature: Floats
    quality: float
    area: float
    faces: int


class Recogniser:
    """The finder and the face network."""

    def __init__(self, weights: Path) -> None:
        """Load the face network; the finder lies beside it. Raises ValueError or OSError."""
        self._finder = Finder(weights.with_name("finder.onnx"))
        self._network = Network(weights)

    def see(self, picture: Pixels) -> Seen | None:
        """The largest face; ``None`` where there is none."""
        faces = self._finder.faces(picture)
        if not faces:
            return None
        features, certainties = self._network.run(scaled(align.aligned(picture, faces[0].landmarks)))
        feature = normalised(features[0])
        return Seen(feature, quality.score(float(certainties[0, 0]), faces), area(faces[0], picture), len(faces))


def normalised(feature: Floats) -> Floats:
    """Of length 1, after a square root of every number (power normalisation)."""
    feature = np.sqrt(feature)
    return np.asarray(feature / max(float(np.sqrt(feature @ feature)), 1e-12), np.float32)


def similarity(first: Floats, second: Floats) -> float:
    """The cosine of two features of length 1."""
    return float(np.clip(first @ second, -1, 1))


def area(face: Face, picture: Pixels) -> float:
    """The face's share of the picture, 0..1."""
    height, width = picture.shape[:2]
    x, y, wide, high = face.box
    shown = max(0.0, min(x + wide, width) - max(x, 0)) * max(0.0, min(y + high, height) - max(y, 0))
    return min(1.0, shown / (width * height))
