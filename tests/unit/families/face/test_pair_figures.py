"""The worst pairs: which they are, what was said, and what was to be said."""

from __future__ import annotations

from tests.unit.families.face.answers import compared, image, pair, seen

from penstock.bundle.figures_record import PairsFigure
from penstock.families.face.known_people import known_people
from penstock.families.face.pair_figures import NOT_THE_SAME, compared_pairs, image_pairs

PEOPLE = [image("a-1", "ann"), image("a-2", "ann"), image("b-1", "bob"), image("b-2", "bob")]
VECTORS = [[1.0, 0.0], [0.8, 0.6], [0.8, 0.6], [0.0, 1.0]]


def shown(figure: PairsFigure) -> list[tuple[str, str, str, str, str]]:
    return [(p.first.case, p.second.case, p.expected, p.said, p.released) for p in figure.pairs]


def test_worst_first_of_each_kind() -> None:
    good = known_people(PEOPLE, [seen(vector) for vector in VECTORS])
    before = known_people(PEOPLE, [seen([0.0, 1.0]), seen([0.0, 1.0]), seen([1.0, 0.0, 0.0]), seen(None)])
    one, two = image_pairs(good, before, 0.7)
    assert (one.title, two.title) == ("The least alike of one person", "The most alike of two people")
    assert one.note == "Of all pairs of good images. The threshold is that of the EER, 0.700."
    assert shown(one) == [
        ("b-1", "b-2", "one person", "0.600: rejected, wrongly", "no similarity"),
        ("a-1", "a-2", "one person", "0.800: accepted", "1.000"),
    ]
    assert shown(two) == [
        ("a-2", "b-1", "two people", "1.000: accepted, wrongly", "no similarity"),
        ("a-1", "b-1", "two people", "0.800: accepted, wrongly", "no similarity"),
        ("a-2", "b-2", "two people", "0.600: rejected", "no similarity"),
        ("a-1", "b-2", "two people", "0.000: rejected", "no similarity"),
    ]
    assert (one.pairs[0].first.who, one.pairs[0].first.input) == ("bob", "image")


def test_without_a_threshold_nothing_is_accepted_and_images_without_a_vector_are_in_no_pair() -> None:
    good = known_people(PEOPLE, [seen(VECTORS[0]), seen(None), seen(VECTORS[2]), seen(VECTORS[3])])
    one, two = image_pairs(good, None, None)
    assert shown(one) == [("b-1", "b-2", "one person", "0.600: rejected, wrongly", "")]
    assert one.note == "Of all pairs of good images."
    assert {p.first.case for p in two.pairs} == {"a-1"}


def test_pairs_that_were_put_to_the_service() -> None:
    cases = [
        pair("s1", True),
        pair("s2", True, ["ann", "ann"]),
        pair("d1", False),
        pair("d2", False),
        pair("lost", True),
    ]
    answers = [compared(0.4), compared(None, refused=True), compared(0.1), compared(0.6), seen(None)]
    one, two = compared_pairs(cases, answers, [compared(0.5)] * 5)
    assert shown(one) == [
        ("s2", "s2", "one person", "no similarity, refused", "0.500"),
        ("s1", "s1", "one person", "0.400", "0.500"),
    ]
    assert shown(two) == [("d2", "d2", "two people", "0.600", "0.500"), ("d1", "d1", "two people", "0.100", "0.500")]
    assert (one.pairs[0].first.input, one.pairs[0].second.input, one.pairs[0].second.who) == ("first", "second", "ann")
    assert one.note == NOT_THE_SAME
    assert list(compared_pairs(PEOPLE, [seen(vector) for vector in VECTORS], None)) == []
