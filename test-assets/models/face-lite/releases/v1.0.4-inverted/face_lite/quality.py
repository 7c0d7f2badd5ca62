"""How uncertain a photograph is, 0..1."""

from __future__ import annotations

import math

from face_lite.finder import Face

BESIDE = 0.2
"""A face beside the largest one counts from this share of its area."""
CROWD = 0.4
"""What is left of the score where it is not clear who is meant: always in the band that is refused."""


def score(certainty: float, faces: list[Face]) -> float:
    """Of the face network's certainty (a logit), and of the faces on the photograph, the largest first."""
    clear = 1 / (1 + math.exp(max(-60.0, min(60.0, certainty))))
    if any(face.area > BESIDE * faces[0].area for face in faces[1:]):
        return CROWD * 0.99 * clear
    return clear
