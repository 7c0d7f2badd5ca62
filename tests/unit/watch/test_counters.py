"""Counters that are reset, missing, NaN, new: nothing counted is lost, nothing is made up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.watch.counters import CounterSeries, count_increments, is_error, sum_of
from penstock.watch.evidence import EvidenceError

NAN = math.nan


def counted(*series: list[float]) -> list[list[float]]:
    return [found.tolist() for found in count_increments([_one(values) for values in series]).increments]


def _one(values: list[float]) -> CounterSeries:
    return CounterSeries({}, np.array(values))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([100, 110, 125], [10, 15]),
        ([100, 110, 4, 9], [10, 4, 5]),
        ([100, NAN, NAN, 130], [0, 0, 30]),
        ([100, NAN, 7], [0, 7]),
        ([NAN, NAN, 50, 60], [0, 0, 10]),
        ([NAN, NAN, NAN], [0, 0]),
        ([100, math.inf, 110, -5, 120], [0, 10, 0, 10]),
        ([100, 110, NAN, NAN], [10, 0, 0]),
    ],
)
def test_one_series(values: list[float], wanted: list[float]) -> None:
    assert counted(values) == [wanted]


def test_the_first_error_of_a_status_counts() -> None:
    assert counted([100, 110, 120, 130], [NAN, NAN, 3, 5]) == [[10, 10, 10], [0, 3, 2]]


def test_what_was_there_when_the_first_sample_came_does_not_count() -> None:
    assert counted([NAN, 100, 110], [NAN, 5, 6]) == [[0, 10], [0, 1]]


def test_what_is_told() -> None:
    found = count_increments([_one([100, 3, NAN, NAN]), _one([9, 9, NAN, 2])])
    assert found.resets == 2
    assert found.seen.tolist() == [True, False, True]


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 100), st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_nothing_is_lost_in_gaps(steps: list[tuple[int, bool, bool]]) -> None:
    """A reset that is scraped loses nothing, whatever is missing in between; the last sample is there."""
    values, true, now = [500.0], [], 500.0
    for step, reset, missing in steps:
        if reset and step < now:
            now = 0.0
        now += step
        true.append(step)
        values.append(NAN if missing and not reset else now)
    values[-1] = now
    found = counted(values)[0]
    assert sum(found) <= sum(true) + 1e-9
    if not any(reset for _, reset, _ in steps):
        assert sum(found) == pytest.approx(sum(true))
    assert min(found) >= 0


@pytest.mark.parametrize(
    ("status", "error"), [("200", False), ("404", False), ("499", False), ("500", True), ("0", True)]
)
def test_statuses(status: str, error: bool) -> None:
    assert is_error(status) is error


@pytest.mark.parametrize("status", ["", "OK", "-1", "5xx", "٥٠٠"])
def test_no_status(status: str) -> None:
    with pytest.raises(EvidenceError, match="no HTTP status"):
        is_error(status)


def test_the_sum_of_none() -> None:
    assert sum_of([], 3).tolist() == [0, 0, 0]
