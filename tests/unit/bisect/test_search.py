"""The search alone, over made-up histories."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.bisect.search import Answer, Search


def searched(
    last: int, answer: Callable[[int], Answer], free: frozenset[int] = frozenset()
) -> tuple[Search, list[int]]:
    """The finished search and what was asked, in order."""
    search, asked = Search(last), []
    while (index := search.next(free)) is not None:
        asked.append(index)
        search.tell(index, answer(index))
    return search, asked


@st.composite
def histories(draw: st.DrawFn, skips: bool = True) -> tuple[int, int, frozenset[int]]:
    """How many commits come after the good one, which is the first bad one, and which give no answer."""
    last = draw(st.integers(1, 300))
    first_bad = draw(st.integers(1, last))
    between = st.integers(1, max(last - 1, 1))
    skipped = draw(st.frozensets(between, max_size=last)) if skips else frozenset()
    return last, first_bad, skipped - {last}


@given(histories(skips=False))
def test_finds_the_first_bad_commit_in_no_more_asks_than_it_said(history: tuple[int, int, frozenset[int]]) -> None:
    last, first_bad, _ = history
    most = Search(last).asks_left
    search, asked = searched(last, lambda index: "worse" if index >= first_bad else "not worse")
    assert search.suspects == [first_bad]
    assert len(asked) <= most <= last.bit_length()


@pytest.mark.slow
@given(histories())
def test_skips_narrow_it_to_what_cannot_be_told_apart(history: tuple[int, int, frozenset[int]]) -> None:
    last, first_bad, skipped = history

    def answer(index: int) -> Answer:
        return "skipped" if index in skipped else "worse" if index >= first_bad else "not worse"

    search, asked = searched(last, answer)
    assert first_bad in search.suspects
    assert len(set(asked)) == len(asked)
    # exactly the broken commits right before it, and it
    at = next(index for index in range(first_bad, last + 1) if index not in skipped)
    below = next(index for index in range(first_bad - 1, -1, -1) if index not in skipped)
    assert search.suspects == list(range(below + 1, at + 1))


@pytest.mark.slow
@given(
    st.integers(1, 200).flatmap(
        lambda last: st.tuples(
            st.just(last), st.lists(st.sampled_from(["worse", "not worse", "skipped"]), min_size=last, max_size=last)
        )
    )
)
def test_a_row_that_goes_to_and_fro_still_ends_at_a_step_from_not_worse_to_worse(
    row: tuple[int, list[Answer]],
) -> None:
    last, answers = row
    search, asked = searched(last, lambda index: answers[index])
    assert search.low == 0 or answers[search.low] == "not worse"
    assert search.high == last or answers[search.high] == "worse"
    assert all(answers[index] == "skipped" and index in asked for index in search.suspects[:-1])


@pytest.mark.slow
@given(histories())
def test_every_answer_rules_out_a_quarter(history: tuple[int, int, frozenset[int]]) -> None:
    last, first_bad, skipped = history
    search = Search(last)
    while (index := search.next()) is not None:
        before = len(search.open)
        search.tell(index, "skipped" if index in skipped else "worse" if index >= first_bad else "not worse")
        if index not in skipped:
            assert len(search.open) <= before * 3 / 4 + 1


def test_a_long_row_of_broken_commits_is_jumped_over() -> None:
    broken = range(400, 600)
    search, asked = searched(
        1000, lambda index: "skipped" if index in broken else "worse" if index >= 900 else "not worse"
    )
    assert search.suspects == [900]
    assert sum(index in broken for index in asked) < 12


@pytest.mark.slow
@given(histories(), st.frozensets(st.integers(1, 300), max_size=40))
def test_what_costs_nothing_is_asked_first(history: tuple[int, int, frozenset[int]], free: frozenset[int]) -> None:
    last, first_bad, skipped = history
    search = Search(last)
    while (index := search.next(free)) is not None:
        assert index in free or not free & set(search.open)
        search.tell(index, "skipped" if index in skipped else "worse" if index >= first_bad else "not worse")
    assert first_bad in search.suspects


def test_what_lies_outside_is_refused() -> None:
    search = Search(4)
    search.tell(2, "not worse")
    for index in (0, 1, 2, 4):
        with pytest.raises(ValueError, match="not between"):
            search.tell(index, "worse")
    with pytest.raises(ValueError, match="nothing between"):
        Search(0)
