"""The images of known people, with their vectors, as arrays: what is compared with each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from penstock.bundle.models import Resamples
from penstock.contract.models import Case
from penstock.evaluation.measurer import Answer
from penstock.families.face.case import FaceCase
from penstock.families.face.features import FaceFeatures
from penstock.families.face.measurable import people_fault

DIMENSIONS = (
    "the vectors have {} values in the released model and {} now: a stored gallery cannot be compared with them at all"
)
SCHEME = "penstock identity resamples 1"
"""Named in the key of resamples: another way to draw is another scheme."""
MOST_NAMED = 3


@dataclass(frozen=True)
class KnownPeople:
    """Images of known people.

    Attributes:
        cases: of each image.
        features: what the service said of it; ``None``: it failed, or found no face.
        people: their names, sorted.
        numbers: int (n,): whose image it is, as the place in ``people``.
    """

    cases: list[FaceCase]
    features: list[FaceFeatures | None]
    people: list[str]
    numbers: npt.NDArray[np.intp]

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Images without a vector: bool (n,)."""
        return np.array([found is None for found in self.features], np.bool_)

    @property
    def length(self) -> int | None:
        """How many values the vectors have; ``None`` where there are none, or they differ."""
        lengths = {len(found.vector) for found in self.features if found is not None}
        return lengths.pop() if len(lengths) == 1 else None

    def vectors(self) -> npt.NDArray[np.float32]:
        """float32 (n, d); zero where one is missing."""
        empty = np.zeros(self.length or 1, np.float32)
        return np.array([empty if found is None else found.vector for found in self.features])

    def fault(self, of: str = "suite") -> str:
        """Why no error rates can be had; empty where they can. ``of`` is what they are all the images of."""
        if fault := people_fault([case.identity for case in self.cases if case.identity is not None], of):
            return fault
        if self.length is None:
            none = all(found is None for found in self.features)
            return "no image has a vector" if none else "the images' vectors differ in how many values they have"
        return ""

    def lost(self) -> str:
        """Which images count as never accepted; empty where all have a vector."""
        return lost_in_words([case.name for case, found in zip(self.cases, self.features, strict=True) if not found])

    def kept(self, which: npt.NDArray[np.bool_]) -> KnownPeople:
        """Some of the images."""
        places = np.flatnonzero(which)
        return _sorted([self.cases[place] for place in places], [self.features[place] for place in places])

    def resamples(self, values: npt.NDArray[np.float64]) -> Resamples | None:
        """A value's resamples by identity; ``None`` where one of them has no value."""
        if not np.isfinite(values).all():
            return None
        text = "\n".join(sorted(f"{case.name}\t{case.identity}" for case in self.cases))
        return resamples_of(text, len(self.people), values)


def resamples_of(text: str, drawn_from: int, values: npt.NDArray[np.float64]) -> Resamples:
    """Resamples whose key is made of ``text``: two sides with the same text drew the same."""
    key = hashlib.sha256(f"{SCHEME}\n{text}".encode()).hexdigest()
    return Resamples(cases=drawn_from, key=key, values=[float(value) for value in values])


def known_people(
    cases: Sequence[Case], answers: Sequence[Answer], wanted: Callable[[FaceCase], bool] = lambda case: not case.ood
) -> KnownPeople:
    """The images of known people among the cases; those that are ``wanted``: by default good ones."""
    found = [
        (case, answer.features if isinstance(answer.features, FaceFeatures) else None)
        for case, answer in zip(cases, answers, strict=True)
        if isinstance(case, FaceCase) and not case.is_pair and case.identity is not None and wanted(case)
    ]
    return _sorted([case for case, _ in found], [features for _, features in found])


def _sorted(cases: list[FaceCase], features: list[FaceFeatures | None]) -> KnownPeople:
    people, numbers = np.unique(np.array([case.identity for case in cases], np.str_), return_inverse=True)
    return KnownPeople(cases, features, [str(name) for name in people], np.asarray(numbers, np.intp))


def lost_in_words(names: Sequence[str], what: str = "count as rejected at every threshold") -> str:
    """Which cases have no usable answer, and what they count as; empty where there are none."""
    if not names:
        return ""
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    shown = ", ".join(f"'{name}'" for name in names[:MOST_NAMED])
    return f"{len(names)} without an answer {what}: {shown}{more}"
