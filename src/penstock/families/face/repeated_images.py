"""Whether the same image gets the same answer each time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from penstock.bundle.models import WHOLE_SUITE, Measurement
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer, measurement
from penstock.families.face.case import FaceCase
from penstock.families.face.features import FaceFeatures

WITHIN = 1e-5
"""What counts as the same: values and scores this close, the vector's in units of its length."""


def repeated_values(cases: Sequence[Case], answers: Sequence[Answer]) -> Iterator[Measurement]:
    """``repeatable``: of the images that several cases hold, the share that got the same answer in all of them."""
    images = [
        (case, answer.features if isinstance(answer.features, FaceFeatures) else None)
        for case, answer in zip(cases, answers, strict=True)
        if isinstance(case, FaceCase) and not case.is_pair
    ]
    digests = {case.inputs["image"]: found.digest for case, found in images if found is not None}
    groups: dict[str, list[tuple[str, FaceFeatures | None]]] = defaultdict(list)
    for case, found in images:
        groups[digests.get(case.inputs["image"], case.inputs["image"])].append((case.name, found))
    repeated = [group for group in groups.values() if len(group) > 1]
    if not repeated:
        never = "no image is put to the service by two cases"
        yield measurement(WHOLE_SUITE, "repeatable", never, applies=False)
        return
    differing = [group for group in repeated if not _same([found for _, found in group])]
    share = 1.0 - len(differing) / len(repeated)
    why = None
    if differing:
        told = " and ".join(f"'{name}'" for name, _ in differing[0][:2])
        why = f"{told} are the same image, and their answers differ"
    yield measurement(WHOLE_SUITE, "repeatable", share, why=why)


def _same(answers: Sequence[FaceFeatures | None]) -> bool:
    first = answers[0]
    if first is None or any(found is None for found in answers):
        return False
    scale = float(np.linalg.norm(first.vector.astype(np.float64)))
    return all(
        found is not None
        and found.vector.shape == first.vector.shape
        and float(np.abs(found.vector - first.vector).max()) <= WITHIN * scale
        and abs(found.quality - first.quality) <= WITHIN
        for found in answers
    )
