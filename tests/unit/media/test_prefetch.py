"""Decoding ahead: same values, same errors, no thread left behind."""

import threading

import pytest

from penstock.media.prefetch import Ahead


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


@pytest.mark.parametrize("count", [1, 3, 100])
def test_same_values(count):
    with Ahead(range(50), count=count) as values:
        assert list(values) == list(range(50))
        assert list(values) == []
    with Ahead([], count=count) as values:
        assert list(values) == []
    assert threads() == []


def test_an_error_comes_in_its_place():
    def broken():
        yield 1
        yield 2
        raise ValueError("damaged")

    with Ahead(broken()) as values:
        assert [next(values), next(values)] == [1, 2]
        for _ in range(2):
            with pytest.raises(ValueError, match="damaged"):
                next(values)
    assert threads() == []


def test_leaving_ends_the_thread_and_no_more_is_taken_than_asked():
    taken = []

    def endless():
        number = 0
        while True:
            taken.append(number)
            yield number
            number += 1

    with Ahead(endless(), count=4) as values:
        assert [next(values) for _ in range(3)] == [0, 1, 2]
    assert threads() == []
    assert len(taken) <= 3 + 4 + 2


def test_leaving_before_the_first_value_ends_the_thread_too():
    with pytest.raises(KeyError), Ahead(iter(int, 1), count=1):
        raise KeyError
    assert threads() == []


def test_the_work_begins_at_once():
    begun = threading.Event()

    def numbers():
        begun.set()
        yield 1

    with Ahead(numbers()) as values:
        assert begun.wait(10)
        assert list(values) == [1]
