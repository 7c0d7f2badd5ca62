"""Images of known people as arrays; one without a vector is kept, and counts."""

from __future__ import annotations

import numpy as np
from tests.unit.families.face.answers import image, pair, seen

from penstock.families.face.known_people import known_people, lost_in_words

CASES = [image("b-1", "ben"), image("a-1", "anna"), image("x"), image("a-2", "anna"), image("a-3", "anna", ood="blur"),
         pair("p", True)]  # fmt: skip
ANSWERS = [seen([1, 0]), seen([0, 1]), seen([1, 1]), seen(None), seen([2, 2]), seen(None)]


def test_good_images_of_known_people() -> None:
    found = known_people(CASES, ANSWERS)
    assert [case.name for case in found.cases] == ["b-1", "a-1", "a-2"]
    assert (found.people, found.numbers.tolist()) == (["anna", "ben"], [1, 0, 0])
    assert (found.missing.tolist(), found.length) == ([False, False, True], 2)
    assert found.vectors().tolist() == [[1, 0], [0, 1], [0, 0]]
    assert found.fault() == ""
    assert found.lost() == "1 without an answer count as rejected at every threshold: 'a-2'"
    assert [case.name for case in known_people(CASES, ANSWERS, lambda _: True).cases][-1] == "a-3"


def test_some_of_them() -> None:
    found = known_people(CASES, ANSWERS)
    kept = found.kept(~found.missing)
    assert ([case.name for case in kept.cases], kept.people) == (["b-1", "a-1"], ["anna", "ben"])
    assert kept.fault() == "the suite has no two good images of one person"
    assert known_people(CASES[:1], ANSWERS[:1]).fault() == (
        "the suite has good images of 1 known people, and error rates need two"
    )


def test_vectors_that_are_not_alike_or_not_there() -> None:
    cases = [CASES[0], CASES[1], CASES[3]]
    assert known_people(cases, [seen(None)] * 3).fault() == "no image has a vector"
    assert known_people(cases, [seen([1, 0]), seen([1, 0]), seen([1])]).fault() == (
        "the images' vectors differ in how many values they have"
    )


def test_resamples_of_the_same_images_have_the_same_key() -> None:
    values = np.array([0.1, 0.2])
    one, turned = known_people(CASES, ANSWERS), known_people(CASES[::-1], ANSWERS[::-1])
    first, second = one.resamples(values), turned.resamples(values)
    assert first is not None
    assert first == second
    assert (first.cases, first.values) == (2, [0.1, 0.2])
    fewer = one.kept(np.array([True, True, False])).resamples(values)
    assert fewer is not None
    assert fewer.key != first.key
    assert one.resamples(np.array([0.1, np.nan])) is None


def test_who_is_lost() -> None:
    assert lost_in_words([]) == ""
    assert lost_in_words(list("abcde"), "count").endswith("count: 'a', 'b', 'c' and 2 more")
