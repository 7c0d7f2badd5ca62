"""How alike the people of a suite are to the model: the gallery matrix, of its own vectors and of stored ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from penstock.bundle.figures_record import MatrixFigure
from penstock.families.face.known_people import KnownPeople
from penstock.metrics.embeddings import all_pairs
from penstock.metrics.identity_means import identity_means
from penstock.metrics.verification import threshold_at_eer

PEOPLE = 20
"""Those that are told apart the least."""
Vectors = npt.NDArray[np.float32]


def people_matrices(good: KnownPeople, released: KnownPeople | None, threshold: float | None) -> Iterator[MatrixFigure]:
    """Mean similarity of the people that are told apart the least; then of new vectors with the stored gallery's.

    Args:
        good: the candidate's images.
        released: the released model's, of the same images in the same order; ``None``: there is none.
        threshold: from which on the candidate's pairs are accepted; the gallery's have the released model's own.
    """
    there = ~good.missing
    some = good.kept(there)
    yield _matrix("people", "People, mean similarity", some, some.vectors(), some.vectors(), threshold)
    if released is None:
        return
    both = there & ~released.missing
    ours, theirs = good.kept(both), released.kept(both)
    if ours.cases and ours.length == theirs.length:
        stored = theirs.vectors()
        of_gallery = None if theirs.fault() else threshold_at_eer(all_pairs(stored, stored, theirs.numbers))
        title = "New vectors with the stored gallery, mean similarity"
        yield _matrix("gallery", title, ours, stored, ours.vectors(), of_gallery)


def _matrix(
    name: str, title: str, people: KnownPeople, gallery: Vectors, probes: Vectors, threshold: float | None
) -> MatrixFigure:
    means = identity_means(gallery, probes, people.numbers)
    chosen = np.sort(means.least_told_apart(PEOPLE))
    values = means.of(chosen, chosen)
    names = [people.people[number] for number in chosen]
    of = f"the {len(chosen)} of {len(people.people)} people" if len(chosen) < len(people.people) else "everyone"
    same = np.eye(len(chosen), dtype=np.bool_)
    wrong = np.zeros(values.shape, np.bool_)
    if threshold is not None:
        with np.errstate(invalid="ignore"):
            wrong = np.where(same, values < threshold, values >= threshold)
    apart = " that are told apart the least" if len(chosen) < len(people.people) else ""
    return MatrixFigure(
        name=name,
        title=title,
        note=f"Of {of}{apart}; on the diagonal, of each person's images with each other. "
        "Outlined: on the wrong side of the threshold at the EER.",
        rows=names,
        columns=names,
        values=[[round(float(value), 4) if np.isfinite(value) else None for value in row] for row in values],
        wrong=[(int(row), int(column)) for row, column in np.argwhere(wrong)],
    )
