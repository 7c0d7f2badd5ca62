"""Vectors of labels, under an embedding that the suite names: which labels count as a true one though no table says so.

A JSON file of the suite, made once with whatever made the vectors:
``{"embedding": "bge-small-zh 1.5, mean", "threshold": 0.8, "vectors": {"cup": [0.1, …], "mug": […]}}``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.foundation.files import read_regular
from penstock.foundation.strict_json import JsonError, read_json, show_json
from penstock.metrics.embeddings import unit_vectors, vector_fault
from penstock.metrics.recognition_text import folded, is_blank

MAX_BYTES = 4 << 20
MOST_VALUES = 4096
MAX_NAME = 100
FORM = 'Write: {"embedding": NAME, "threshold": COSINE, "vectors": {LABEL: [NUMBERS]}}.'


@dataclass(frozen=True)
class LabelVectors:
    """Labels with their vectors.

    Attributes:
        embedding: what made them, as the suite names it.
        threshold: above 0, at most 1: the least cosine from which on two labels are alike.
        digest: SHA-256 of the file.
        labels: folded, all different.
        vectors: float32 (n, d), of length 1.
    """

    embedding: str
    threshold: float
    digest: str
    labels: tuple[str, ...]
    vectors: npt.NDArray[np.float32]

    @property
    def stated(self) -> str:
        """What made the likeness, for evidence."""
        return f"cosine of at least {self.threshold:g} under '{self.embedding}', sha256 {self.digest}"

    def alike(self, true: Collection[str]) -> dict[str, tuple[str, float]]:
        """Each label that counts as one of ``true`` → the nearest of these, of equals the first, and the cosine.

        Args:
            true: labels, folded, each with a vector.
        """
        places = {label: row for row, label in enumerate(self.labels)}
        wanted = sorted(true)
        if not wanted:
            return {}
        cosines = self.vectors @ self.vectors[[places[label] for label in wanted]].T
        nearest = cosines.argmax(axis=1)
        return {
            label: (wanted[nearest[row]], float(cosines[row, nearest[row]]))
            for row, label in enumerate(self.labels)
            if label not in true and cosines[row, nearest[row]] >= self.threshold
        }


def read_label_vectors(path: Path) -> LabelVectors:
    """Read vectors of labels.

    Raises:
        UsageError: it is no such file; ``what`` says what is wrong with it.
    """
    content = read_regular(path, max_bytes=MAX_BYTES, where=path.name)
    try:
        value = read_json(content)
    except JsonError as error:
        raise _bad(path, f"it is not JSON: {error}") from error
    if not isinstance(value, dict) or value.keys() != {"embedding", "threshold", "vectors"}:
        raise _bad(path, "it has other fields")
    embedding, threshold, vectors = value["embedding"], value["threshold"], value["vectors"]
    if not isinstance(embedding, str) or is_blank(embedding) or len(embedding) > MAX_NAME:
        raise _bad(path, f"'embedding' is {show_json(embedding)}, not a name of up to {MAX_NAME} characters")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        raise _bad(path, f"'threshold' is {show_json(threshold)}, not a cosine above 0 and up to 1")
    if not isinstance(vectors, dict) or not vectors:
        raise _bad(path, "'vectors' is not an object with labels")
    labels, rows = _rows(path, vectors)
    return LabelVectors(embedding, float(threshold), hashlib.sha256(content).hexdigest(), labels, unit_vectors(rows))


def _rows(path: Path, vectors: Mapping[str, Any]) -> tuple[tuple[str, ...], npt.NDArray[np.float64]]:
    first = next(iter(vectors.values()))
    length = len(first) if isinstance(first, list) else 0
    labels: dict[str, str] = {}
    for label, vector in vectors.items():
        if (before := labels.setdefault(folded(label), label)) is not label:
            raise _bad(path, f"'{before}' and '{label}' are one label")
        numbers = isinstance(vector, list) and all(type(each) in (int, float) for each in vector)
        if not numbers or len(vector) != length or not 0 < length <= MOST_VALUES:
            what = f"the vector of '{label}' is {show_json(vector)}, not a list of as many numbers as the first has"
            raise _bad(path, f"{what}, up to {MOST_VALUES:,}")
    rows = np.array(list(vectors.values()), np.float64)
    if (fault := vector_fault(rows)) is not None:
        raise _bad(path, f"the vector of '{list(vectors)[fault[0]]}' {fault[1]}")
    return tuple(labels), rows


def _bad(path: Path, why: str) -> UsageError:
    return UsageError(f"this is not a file of vectors of labels: {why}", where=path.name, todo=FORM)
