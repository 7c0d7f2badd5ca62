"""The gallery matrix: who is on it, and what is on the wrong side."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.families.face.answers import crowd, image, seen

from penstock.families.face.known_people import KnownPeople, known_people
from penstock.families.face.people_figures import PEOPLE, people_matrices

THREE = [image(f"{name}-{n}", name) for name in ("ann", "bob", "cid") for n in range(2)]


def turned(*degrees: float) -> KnownPeople:
    angles = np.radians(degrees)
    return known_people(THREE, [seen(pair) for pair in np.stack([np.cos(angles), np.sin(angles)], axis=1)])


def test_means_and_the_wrong_side() -> None:
    (matrix,) = people_matrices(turned(0, 10, 20, 30, 90, 150), None, 0.85)
    assert (matrix.name, matrix.rows, matrix.columns) == ("people", ["ann", "bob", "cid"], ["ann", "bob", "cid"])
    cos = {angle: float(np.cos(np.radians(angle))) for angle in range(181)}
    assert matrix.values[0][0] == pytest.approx(cos[10], abs=1e-4)
    assert matrix.values[0][1] == pytest.approx((2 * cos[20] + cos[30] + cos[10]) / 4, abs=1e-4)
    assert matrix.values[0][1] == matrix.values[1][0]
    assert matrix.wrong == [(0, 1), (1, 0), (2, 2)]
    assert matrix.note.startswith("Of everyone; on the diagonal, of each person's images with each other.")


def test_new_vectors_with_the_stored_gallery() -> None:
    stored, new = turned(0, 1, 40, 41, 90, 91), turned(90, 91, 130, 131, 180, 181)
    own, gallery = people_matrices(new, stored, 0.9)
    assert own.wrong == []
    assert gallery.title == "New vectors with the stored gallery, mean similarity"
    assert gallery.values[0][0] == pytest.approx(0.0, abs=0.02), "ann has moved by a quarter turn"
    assert (0, 0) in gallery.wrong
    # the threshold is the released model's own, between 0.75 and 1, not the candidate's
    assert gallery.values[0][2] == pytest.approx(1.0, abs=1e-3)
    assert (0, 2) in gallery.wrong


def test_galleries_that_cannot_be_compared() -> None:
    longer = known_people(THREE, [seen([1.0, 0.0, float(n)]) for n in range(6)])
    assert len(list(people_matrices(turned(0, 1, 2, 3, 4, 5), longer, 0.5))) == 1
    nobody = known_people(THREE, [seen(None)] * 6)
    assert len(list(people_matrices(turned(0, 1, 2, 3, 4, 5), nobody, 0.5))) == 1


def test_one_image_alone_has_no_mean_with_itself() -> None:
    good = known_people(THREE[:3], [seen([1.0, 0.0]), seen([1.0, 0.1]), seen([0.0, 1.0])])
    (matrix,) = people_matrices(good, None, 0.5)
    assert matrix.values[1][1] is None
    assert matrix.wrong == []


def test_of_many_people_those_that_are_told_apart_the_least() -> None:
    (matrix,) = people_matrices(known_people(*crowd(people=50, images=2, noise=0.8)), None, None)
    assert len(matrix.rows) == PEOPLE
    assert matrix.note.startswith(f"Of the {PEOPLE} of 50 people that are told apart the least; ")
    assert matrix.wrong == []
