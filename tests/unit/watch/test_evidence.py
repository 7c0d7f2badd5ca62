"""Requests counted by stretch: a user counts once, however often a failed request is tried again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.error_rates.made_canaries import retrying_users

from penstock.watch.evidence import FINE_BOUNDS_MS, LiveEvidence, RequestTable, tabulate


def table(*rows: tuple[float, str, int, bool]) -> RequestTable:
    """Time, side, user, failed; each took 100 ms."""
    times, sides, users, failed = zip(*sorted(rows), strict=True)
    count = len(rows)
    return RequestTable(
        np.array(times, dtype=float),
        np.array([side == "canary" for side in sides]),
        np.array(users, dtype=np.int64),
        np.array(failed, dtype=bool),
        np.full(count, 100.0),
        np.zeros(count, dtype=bool),
    )


def counted(*rows: tuple[float, str, int, bool], minutes: int = 2) -> LiveEvidence:
    return tabulate(table(*rows), start=0.0, end=60.0 * minutes, stretch_s=60.0)


def test_retries_count_once() -> None:
    rows = [(second, "canary", 7, True) for second in (1.0, 2.0, 3.0, 70.0)]
    found = counted(*rows, (5.0, "stable", 8, False), (0.5, "canary", 7, False))
    assert found.errors.canary_events.tolist() == [1, 0]
    assert found.errors.canary_requests.tolist() == [2, 0]
    assert found.errors.stable_requests.tolist() == [1, 0]
    assert (found.canary_requests, found.canary_users) == (5, 1)


def test_a_user_who_failed_on_one_side_counts_no_more_on_the_other() -> None:
    found = counted((1.0, "stable", 7, True), (2.0, "canary", 7, True), (3.0, "canary", 9, False))
    assert found.errors.canary_requests.tolist() == [1, 0]
    assert found.errors.canary_events.tolist() == [0, 0]


def test_unknown_users_count_each_request() -> None:
    found = counted((1.0, "canary", -1, True), (2.0, "canary", -1, True), (3.0, "stable", 1, False))
    assert found.errors.canary_events.tolist() == [2, 0]
    assert found.canary_users is None


def test_warm_up_and_the_cut_stretch_are_left_out() -> None:
    rows = [(second, "canary", -1, False) for second in (-1.0, 0.0, 59.9, 60.0, 119.9, 120.0)]
    found = tabulate(table(*rows), start=0.0, end=179.0, stretch_s=60.0)
    assert found.errors.canary_requests.tolist() == [2, 2]
    assert tabulate(table(*rows), start=0.0, end=59.0, stretch_s=60.0).stretches == 0


def test_latencies_of_a_user_count_once_a_stretch_and_errors_not_at_all() -> None:
    rows = [(1.0, "canary", 1, False), (2.0, "canary", 1, False), (61.0, "canary", 1, False), (3.0, "canary", 2, True)]
    found = counted(*rows)
    assert found.latency is not None
    assert found.latency.canary.sum(axis=1).tolist() == [1, 1]
    column = int(np.argmax(found.latency.canary[0]))
    assert FINE_BOUNDS_MS[column - 1] < 100.0 <= FINE_BOUNDS_MS[column]


def test_nobody_was_asked() -> None:
    asked = table((1.0, "canary", 1, False))
    silent = RequestTable(
        *(getattr(asked, name) for name in ("time", "canary", "user", "failed")), np.array([np.nan]), None
    )
    found = tabulate(silent, start=0.0, end=60.0, stretch_s=60.0)
    assert found.feedback is None
    assert found.latency is None


def test_retrying_users_are_many_errors_and_few_failing_users() -> None:
    requests = retrying_users(1.0, np.random.default_rng(5), requests=300, minutes=20, pods=4)
    found = tabulate(requests, start=0.0, end=1200.0, stretch_s=60.0)
    events = found.errors.canary_events.sum() + found.errors.stable_events.sum()
    assert events == len(np.unique(requests.user[requests.failed & (requests.time < 1200)]))
    assert requests.failed.sum() > 2.5 * events


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(st.floats(0, 299), st.sampled_from(["canary", "stable"]), st.integers(-1, 5), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_against_a_plain_count(rows: list[tuple[float, str, int, bool]]) -> None:
    rows = sorted(rows)
    found = tabulate(table(*rows), start=0.0, end=300.0, stretch_s=60.0)
    failed: set[int] = set()
    wanted = {(side, kind): [0] * 5 for side in ("canary", "stable") for kind in ("requests", "events")}
    for time, side, user, bad in rows:
        if user in failed:
            continue
        wanted[side, "requests"][int(time // 60)] += 1
        wanted[side, "events"][int(time // 60)] += bad
        if bad and user >= 0:
            failed.add(user)
    for (side, kind), values in wanted.items():
        assert getattr(found.errors, f"{side}_{kind}").tolist() == pytest.approx(values)
