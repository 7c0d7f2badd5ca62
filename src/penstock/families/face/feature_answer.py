"""The answer of ``/feature``: a vector, a quality score, and what was looked at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.contract.placeholders import Scalar
from penstock.foundation.errors import UsageError
from penstock.foundation.json_path import kind_of_json
from penstock.foundation.strict_json import JsonError, read_json, show_json
from penstock.metrics.embeddings import UNIT, vector_fault, vector_lengths

LENGTH, UNIT_NORM = "feature_length", "unit_norm"
MOST_VALUES = 4096
RESOLUTION = re.compile(r"[1-9][0-9]{0,4}x[1-9][0-9]{0,4}")
UNBOUNDED = "RTS gives exp(log-variance), which nothing bounds, and which is low for a good image"


class BadAnswerError(UsageError):
    """The answer is not what the interface promises."""


@dataclass(frozen=True)
class FeatureAnswer:
    """What a service says of one image.

    Attributes:
        vector: float32 (d,), finite, not zero.
        quality: from 0 to 1.
    """

    vector: npt.NDArray[np.float32]
    quality: float


def promised_vector(given: Mapping[str, Scalar]) -> tuple[int, bool]:
    """What the contract promises of a vector: how many values it has, and whether its length is 1.

    Args:
        given: the case's parameters; ``feature_length`` is 512 and ``unit_norm`` false where they say nothing.

    Raises:
        UsageError: a parameter is of another kind.
    """
    length, unit = given.get(LENGTH, 512), given.get(UNIT_NORM, False)
    if isinstance(length, bool) or not isinstance(length, int) or not 1 <= length <= MOST_VALUES:
        raise UsageError(f"the parameter '{LENGTH}' is {length!r}, not a number from 1 to {MOST_VALUES}")
    if not isinstance(unit, bool):
        raise UsageError(f"the parameter '{UNIT_NORM}' is {unit!r}, neither true nor false")
    return length, unit


def read_answer(file: Path) -> dict[str, Any]:
    """The object that an answer is.

    Raises:
        BadAnswerError: it is no JSON, or no object.
    """
    try:
        value = read_json(file.read_bytes())
    except JsonError as error:
        raise BadAnswerError(f"the answer is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadAnswerError(f"the answer is {kind_of_json(value)}, not an object")
    return value


def read_feature(file: Path, *, length: int, unit: bool) -> FeatureAnswer:
    """Read and check an answer of ``/feature``.

    Args:
        file: the answer as it came.
        length: how many values a vector has.
        unit: whether its length is promised to be 1, within 1e-3.

    Raises:
        BadAnswerError: something is missing or is not as it should be; ``what`` says it.
    """
    answer = read_answer(file)
    vector = _vector(field(answer, "feature"), length)
    if unit and not (lengths := vector_lengths(vector[None])).unit:
        raise BadAnswerError(f"'feature' has the length {lengths.least:.4g}, and 1 is promised (within {UNIT:g})")
    quality = share_at(answer, "quality_score", UNBOUNDED)
    resolution = field(answer, "resolution")
    if not isinstance(resolution, str) or not RESOLUTION.fullmatch(resolution):
        raise BadAnswerError(f"'resolution' is {show_json(resolution)}, not a size such as \"112x112\"")
    if share_at(answer, "detected_face_area_ratio") == 0:
        raise BadAnswerError("'detected_face_area_ratio' is 0: it gives a vector, and found no face")
    return FeatureAnswer(vector, quality)


def field(answer: dict[str, Any], name: str) -> Any:
    """A field that has to be there.

    Raises:
        BadAnswerError: it is not.
    """
    if name not in answer:
        there = ", ".join(f"'{known[:40]}'" for known in list(answer)[:10]) or "nothing"
        raise BadAnswerError(f"the answer has no '{name}'; it has {there}")
    return answer[name]


def number_at(answer: dict[str, Any], name: str) -> float:
    """A number.

    Raises:
        BadAnswerError: there is none; ``true`` and ``"0.9"`` are none.
    """
    value = field(answer, name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadAnswerError(f"'{name}' is {kind_of_json(value)} ({show_json(value)}), not a number")
    return float(value)  # NaN, infinity and whole numbers beyond a float are no JSON here


def share_at(answer: dict[str, Any], name: str, often: str = "") -> float:
    """A number from 0 to 1.

    Args:
        answer: the answer.
        name: of the field.
        often: why it often is no such number.

    Raises:
        BadAnswerError: it is none, or outside.
    """
    value = number_at(answer, name)
    if not 0.0 <= value <= 1.0:
        raise BadAnswerError(f"'{name}' is {value:.6g}, outside 0 to 1" + (f": {often}" if often else ""))
    return value


def _vector(value: Any, length: int) -> npt.NDArray[np.float32]:
    if not isinstance(value, list):
        raise BadAnswerError(f"'feature' is {kind_of_json(value)}, not a list of {length} numbers")
    if len(value) != length:
        inner = f"; its first is a list of {len(value[0])}" if value and isinstance(value[0], list) else ""
        raise BadAnswerError(f"'feature' has {len(value)} values where {length} are promised{inner}")
    for place, item in enumerate(value):
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise BadAnswerError(f"'feature[{place}]' is {kind_of_json(item)} ({show_json(item)}), not a number")
    vector = np.array(value, np.float64)
    if (fault := vector_fault(vector[None])) is not None:
        raise BadAnswerError(f"'feature' {fault[1]}")
    if np.abs(vector).max() > np.finfo(np.float32).max or not (found := vector.astype(np.float32)).any():
        raise BadAnswerError("'feature' holds values that single precision cannot")
    return found
