"""Answers of a service that recognises faces, as JSON and as what is kept of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penstock.evaluation.measurer import Answer
from penstock.families.face.case import FaceCase
from penstock.families.face.features import FaceFeatures, PairFeatures

FAILED = "the model answered 422: no face"


def feature(**changes: Any) -> dict[str, Any]:
    """A good answer of ``/feature``; ``None`` among the changes takes a field out."""
    vector = [0.6, 0.8, *[0.0] * 510]
    good = {"feature": vector, "quality_score": 0.9, "resolution": "112x112", "detected_face_area_ratio": 0.4}
    return {name: value for name, value in (good | changes).items() if value is not None}


def compare(**changes: Any) -> dict[str, Any]:
    """A good answer of ``/compare``."""
    return {
        "similarity": 0.7,
        "quality_score1": 0.9,
        "quality_score2": 0.85,
        "decision": "pass",
        "advice": "",
    } | changes


def written(folder: Path, value: Any) -> Path:
    """An answer in a file."""
    path = folder / "answer.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return path


def image(name: str, identity: str | None = None, *, file: str = "", **fields: Any) -> FaceCase:
    """A case of one image."""
    inputs = {"image": file or f"{name}.png"}
    return FaceCase.model_validate({"name": name, "inputs": inputs, "identity": identity, **fields})


def seen(vector: Sequence[float] | npt.NDArray[Any] | None, quality: float = 0.9, digest: str = "") -> Answer:
    """The answer to an image; ``None``: it failed."""
    if vector is None:
        return Answer({"face_quality": FAILED})
    kept = np.asarray(vector, np.float32)
    return Answer({"face_quality": quality}, features=FaceFeatures(digest or str(kept.tolist()), kept, quality))


def pair(name: str, same: bool, identities: list[str] | None = None) -> FaceCase:
    """A case of two images."""
    inputs = {"first": "a.png", "second": "b.png"}
    return FaceCase.model_validate({"name": name, "inputs": inputs, "same": same, "identities": identities})


def compared(similarity: float | None, *, refused: bool = False) -> Answer:
    """The answer to a pair."""
    return Answer({"bands": 1.0}, features=PairFeatures(similarity, refused))


def crowd(people: int = 12, images: int = 3, noise: float = 0.3, seed: int = 1) -> tuple[list[FaceCase], list[Answer]]:
    """People with images each, and vectors that tell them apart the better the less noise there is."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(7).normal(size=(people, 16))
    cases, answers = [], []
    for person in range(people):
        for number in range(images):
            slices = ["men" if person % 2 else "women"]
            cases.append(image(f"p{person:02}-{number}", f"p{person:02}", slices=slices))
            answers.append(seen(centres[person] + noise * random.normal(size=16)))
    return cases, answers
