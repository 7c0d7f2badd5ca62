"""What is kept of an answer for the values of the whole suite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.evaluation.answer_schema import AnswerSchema


@dataclass(frozen=True)
class FaceFeatures:
    """Of an answer of ``/feature``.

    Attributes:
        digest: SHA-256 of the image's file.
        vector: float32 (d,), finite, not zero.
        quality: from 0 to 1.
        schema: of the answer; ``None``: it has too many paths for one.
    """

    digest: str
    vector: npt.NDArray[np.float32]
    quality: float
    schema: AnswerSchema | None = None


@dataclass(frozen=True)
class PairFeatures:
    """Of an answer of ``/compare``.

    Attributes:
        similarity: ``None``: there is none.
        refused: whether it refuses to compare.
        schema: as above.
    """

    similarity: float | None
    refused: bool
    schema: AnswerSchema | None = None
