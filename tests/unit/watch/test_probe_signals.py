"""The bets on pairs of probes: fair for a canary that is as good, whatever else they meet."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.watch.made_pairs import T0, made_pairs

from penstock.watch.probe_pairs import ProbeCounts, count_pairs
from penstock.watch.probe_policy import ProbePolicy
from penstock.watch.probe_signals import look_at_probes, probe_signals, probes_needed, weigh_probes

POLICY = ProbePolicy(canary="http://canary", stable="http://stable", recorded="bundle")
ERRORS_ONLY = POLICY.model_copy(update={"recorded": None})
kinds = st.lists(st.tuples(*[st.integers(0, 6)] * 5), min_size=1, max_size=40)


def counts_of(rows: list[tuple[int, ...]]) -> ProbeCounts:
    """Of each stretch: fine pairs, canary alone failed, stable alone failed, slow of the fine ones, wrong of them."""
    fine, ours, theirs, slow, wrong = np.array(rows, dtype=np.float64).T
    return ProbeCounts(fine + ours + theirs, ours, theirs, fine, np.minimum(slow, fine), fine, np.minimum(wrong, fine))


@settings(max_examples=30)
@given(kinds)
def test_any_counts_give_numbers(rows: list[tuple[int, ...]]) -> None:
    looks = look_at_probes(counts_of(rows), POLICY, level=0.05, risk=0.02)
    assert not np.any(looks.bad & looks.good)
    for weighed in looks.by_signal.values():
        assert not np.any(np.isnan(weighed.log_worse) | np.isnan(weighed.log_within))
        assert np.all(weighed.dispersion >= 1)


@settings(max_examples=30)
@given(kinds)
def test_the_sides_are_treated_alike(rows: list[tuple[int, ...]]) -> None:
    """Where the canary alone failed at most as often as the stable side, in each stretch, it is never bad by errors."""
    counts = counts_of(rows)
    fair = replace(counts, canary_failed=np.minimum(counts.canary_failed, counts.stable_failed))
    assert np.all(weigh_probes(fair, POLICY)["errors"].log_worse < math.log(len(probe_signals(POLICY)) / 0.05))


@pytest.mark.parametrize("name", ["errors", "latency", "answers"])
def test_the_mean_of_the_e_value_is_at_most_one(name: str) -> None:
    """Summed over all that six stretches of one pair each can be, at the edge of what is no worse."""
    total = 0.0
    for marks in itertools.product((0, 1), repeat=6):
        rows = []
        for mark in marks:
            ours, theirs = (mark, 1 - mark) if name == "errors" else (0, 0)
            rows.append((1 - ours - theirs, ours, theirs, mark * (name == "latency"), mark * (name == "answers")))
        share = POLICY.answers.harmless if name == "answers" else 0.5
        chance = math.prod(share if mark else 1 - share for mark in marks)
        weighed = weigh_probes(counts_of(rows), POLICY)
        total += chance * math.exp(float(weighed[name].log_worse[-1]))  # type: ignore[index]
    assert total <= 1 + 1e-9


@pytest.mark.parametrize(
    ("how", "name"),
    [
        ({"fails": 1.0}, "errors"),
        ({"fails": 0.3}, "errors"),
        ({"slower": 1.5}, "latency"),
        ({"wrong": 1.0}, "answers"),
    ],
)
def test_a_bad_one_is_stopped_soon(how: dict[str, float], name: str) -> None:
    counts = count_pairs(made_pairs(90, **how), start=T0, end=T0 + 900, stretch_s=60.0, ratio=1.5)
    looks = look_at_probes(counts, POLICY, level=0.05, risk=0.02)
    assert looks.bad.any()
    assert not looks.good.any()
    other = {one: bool(np.any(weighed.log_worse > 4)) for one, weighed in looks.by_signal.items()}
    assert [one for one, found in other.items() if found] == [name]


def test_a_good_one_is_promoted_when_it_was_said() -> None:
    pairs = made_pairs(200)
    first = count_pairs(pairs, start=T0, end=T0 + 300, stretch_s=60.0, ratio=1.5)
    weighed = weigh_probes(first, ERRORS_ONLY)
    needed = [probes_needed(name, first, weighed[name], ERRORS_ONLY, risk=0.02) for name in probe_signals(ERRORS_ONLY)]
    assert all(value is not None for value in needed)
    then = 30 + max(value or 0 for value in needed)
    for count, good in ((then - 12, False), (then + 12, True)):
        counts = count_pairs(pairs, start=T0, end=T0 + 10 * count, stretch_s=60.0, ratio=1.5)
        assert bool(look_at_probes(counts, ERRORS_ONLY, level=0.05, risk=0.02).good[-1]) == good


def test_one_that_is_a_little_slower_is_no_worse() -> None:
    counts = count_pairs(made_pairs(500, slower=1.15), start=T0, end=T0 + 5000, stretch_s=60.0, ratio=1.5)
    looks = look_at_probes(counts, POLICY, level=0.05, risk=0.02)
    assert looks.good[-1]


def test_where_both_fail_nothing_is_known() -> None:
    counts = count_pairs(
        made_pairs(500, fails=1.0, stable_fails=1.0), start=T0, end=T0 + 5000, stretch_s=60.0, ratio=1.5
    )
    looks = look_at_probes(counts, POLICY, level=0.05, risk=0.02)
    assert not looks.good.any()
    assert not looks.bad.any()
