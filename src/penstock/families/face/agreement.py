"""Answers of an exported face model against those of its trained weights: vectors, quality scores, decisions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from penstock.contract.placeholders import Scalar
from penstock.families.face.compare_answer import CompareAnswer, read_compare
from penstock.families.face.feature_answer import FeatureAnswer, promised_vector, read_answer, read_feature
from penstock.foundation.errors import UsageError
from penstock.metrics.embeddings import unit_vectors


def compare(trained: Mapping[str, Path], exported: Mapping[str, Path], given: Mapping[str, Scalar]) -> dict[str, float]:
    """How far two answers lie apart; a value that says nothing of this kind of answer is 0.

    Args:
        trained: the answer with the trained weights, by the name of the call.
        exported: that with the exported file.
        given: the case's parameters.

    Returns:
        ``vector``: 1 − cosine of the two vectors, 0 to 2. ``quality``: the largest difference of a quality score, 0 to
        1. ``similarity``: the difference of the two similarities, 0 where neither answer has one. ``decision``: 1 where
        what is decided differs, else 0.

    Raises:
        UsageError: one of the two is no answer; one is of an image and the other of a pair.
    """
    one, other = _answer(trained, given), _answer(exported, given)
    if isinstance(one, FeatureAnswer) and isinstance(other, FeatureAnswer):
        apart = unit_vectors(one.vector[None]) - unit_vectors(other.vector[None])
        # Half the squared distance of unit vectors is 1 − cosine, and exactly 0 where they are the same.
        vector = float(np.square(apart, dtype=np.float64).sum() / 2)
        return _values(vector=vector, quality=abs(one.quality - other.quality))
    if isinstance(one, CompareAnswer) and isinstance(other, CompareAnswer):
        return _values(
            quality=max(abs(ours - theirs) for ours, theirs in zip(one.qualities, other.qualities, strict=True)),
            similarity=_similarity(one, other),
            decision=float(one.decision != other.decision),
        )
    raise UsageError("one answer is of an image and the other of a pair")


def _values(*, quality: float, vector: float = 0.0, similarity: float = 0.0, decision: float = 0.0) -> dict[str, float]:
    return {"vector": vector, "quality": quality, "similarity": similarity, "decision": decision}


def _similarity(one: CompareAnswer, other: CompareAnswer) -> float:
    if one.similarity is None or other.similarity is None:
        if one.similarity is other.similarity:
            return 0.0
        raise UsageError("one answer refuses to say how alike the two images are, and the other says it")
    return abs(one.similarity - other.similarity)


def _answer(outputs: Mapping[str, Path], given: Mapping[str, Scalar]) -> FeatureAnswer | CompareAnswer:
    """The one answer of a case, as what it is."""
    if len(outputs) != 1:
        raise UsageError("the case has several calls, and a face's answer is one")
    (file,) = outputs.values()
    if "similarity" in read_answer(file):
        return read_compare(file)
    length, unit = promised_vector(given)
    return read_feature(file, length=length, unit=unit)
