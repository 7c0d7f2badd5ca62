"""Several cases at a time: never more than asked for, in the order of the cases, and none is lost when one breaks off.

Against a real service: tests/invocation/test_infer_calls.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from penstock.bundle.models import Invocation
from penstock.contract.models import Case
from penstock.evaluation.concurrent_calls import Called, called_at_once

PATIENCE_S = 10.0


def cases_of(names: str) -> list[Case]:
    return [Case(name=name, inputs={}) for name in names]


def answered(case: Case, *, broken_off: bool = False) -> Called:
    return Called(Invocation(case=case.name, status="failed" if broken_off else "ok"), broken_off)


@pytest.mark.parametrize("workers", [1, 3, 20])
def test_each_case_comes_with_its_own_record_in_order(workers: int) -> None:
    found = [(case.name, record) for case, record in called_at_once(cases_of("abcdefgh"), answered, workers)]
    assert found == [(name, Invocation(case=name, status="ok")) for name in "abcdefgh"]


def test_no_case_is_no_call() -> None:
    assert list(called_at_once([], answered, 4)) == []


def test_as_many_as_asked_for_run_at_a_time_and_never_more() -> None:
    together, lock = threading.Barrier(3), threading.Lock()
    running, most = 0, 0

    def call(case: Case) -> Called:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(PATIENCE_S)  # breaks, and the test with it, unless three are here at once
        with lock:
            running -= 1
        return answered(case)

    assert len(list(called_at_once(cases_of("abcdefghi"), call, 3))) == 9
    assert most == 3


def test_one_that_is_slow_holds_up_no_other() -> None:
    last_began = threading.Event()

    def call(case: Case) -> Called:
        if case.name == "a":
            assert last_began.wait(PATIENCE_S)
        if case.name == "e":
            last_began.set()
        return answered(case)

    assert [case.name for case, _ in called_at_once(cases_of("abcde"), call, 2)] == list("abcde")


def test_a_record_comes_before_the_cases_after_it_are_asked_for() -> None:
    asked: list[str] = []

    def cases() -> Iterator[Case]:
        for case in cases_of("abcd"):
            asked.append(case.name)
            yield case

    found = called_at_once(cases(), answered, 1)
    assert next(found)[0].name == "a"
    assert asked == ["a"]
    assert [case.name for case, _ in found] == ["b", "c", "d"]


def test_when_one_breaks_off_those_under_way_are_waited_for_and_no_other_begins() -> None:
    begun: list[str] = []
    ended: list[str] = []
    all_here, broke_off = threading.Barrier(3), threading.Event()

    def call(case: Case) -> Called:
        begun.append(case.name)
        all_here.wait(PATIENCE_S)
        if case.name == "a":
            broke_off.set()
            return answered(case, broken_off=True)
        assert broke_off.wait(PATIENCE_S)
        if case.name == "c":
            threading.Event().wait(0.2)  # still under way when a's end is seen
        ended.append(case.name)
        return answered(case)

    found = called_at_once(cases_of("abcdef"), call, 3)
    seen = []
    for case, record in found:
        assert sorted(ended) == ["b", "c"]  # nothing is under way while any of them is looked at
        seen.append((case.name, record))
    assert seen == [("a", None), ("b", Invocation(case="b", status="ok")), ("c", Invocation(case="c", status="ok"))]
    assert sorted(begun) == ["a", "b", "c"]


def test_each_that_broke_off_is_to_be_put_again() -> None:
    here = threading.Barrier(2)

    def call(case: Case) -> Called:
        here.wait(PATIENCE_S)
        return answered(case, broken_off=True)

    assert [(case.name, record) for case, record in called_at_once(cases_of("abc"), call, 2)] == [
        ("a", None),
        ("b", None),
    ]


def test_where_nothing_can_be_put_again_each_keeps_its_record_and_the_others_go_on() -> None:
    def call(case: Case) -> Called:
        return answered(case, broken_off=case.name in "bd")

    found = {case.name: record for case, record in called_at_once(cases_of("abcdef"), call, 2, again=False)}
    assert list(found) == list("abcdef")
    assert [record.status if record is not None else None for record in found.values()] == [
        "ok",
        "failed",
        "ok",
        "failed",
        "ok",
        "ok",
    ]


def test_an_error_of_ours_is_not_swallowed() -> None:
    def call(case: Case) -> Called:
        if case.name == "b":
            raise OSError("disk")
        return answered(case)

    with pytest.raises(OSError, match="disk"):
        list(called_at_once(cases_of("abc"), call, 2))
