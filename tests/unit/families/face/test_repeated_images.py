"""The same image gets the same answer."""

from __future__ import annotations

from tests.unit.families.face.answers import image, seen

from penstock.evaluation.measurer import Answer
from penstock.families.face.repeated_images import repeated_values

CASES = [image("a"), image("copy"), image("b"), image("again", file="b.png")]


def value(*answers: Answer):
    (line,) = repeated_values(CASES, answers)
    return line


def test_the_same_bytes_under_two_names_or_two_cases_with_one_file() -> None:
    one, two = seen([1, 2], digest="x"), seen([3, 4], digest="y")
    assert value(one, one, two, two).value == 1.0
    close = seen([1, 2.00001], digest="x")
    assert value(one, close, two, two).value == 1.0
    line = value(one, seen([1, 2.01], digest="x"), two, two)
    assert (line.value, line.error) == (0.5, "'a' and 'copy' are the same image, and their answers differ")
    assert value(one, one, two, seen([3, 4], 0.8, digest="y")).value == 0.5
    assert value(one, one, two, seen([3, 4, 0], digest="y")).value == 0.5


def test_an_answer_one_time_and_none_another_is_not_the_same() -> None:
    line = value(seen([1, 2], digest="x"), seen([1, 2], digest="x"), seen([3, 4], digest="y"), seen(None))
    assert (line.value, line.error) == (0.5, "'b' and 'again' are the same image, and their answers differ")


def test_no_image_is_there_twice() -> None:
    (line,) = repeated_values(CASES[:2], [seen([1, 2], digest="x"), seen([1, 2], digest="z")])
    assert (line.applies, line.error) == (False, "no image is put to the service by two cases")
