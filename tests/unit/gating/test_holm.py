"""Holm's procedure by hand, and between its bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.gating.holm import holm, outcomes


def test_holm() -> None:
    # the textbook's order: 0.01 against 0.05/4, 0.013 against 0.05/3 ...
    assert [held for held, _ in holm([0.03, 0.01, 0.04, 0.013], 0.05)] == [False, True, False, True]
    assert [level for _, level in holm([0.03, 0.01], 0.05)] == [0.05, 0.025]
    # one that does not hold takes those behind it along
    assert [held for held, _ in holm([0.03, 0.03], 0.05)] == [False, False]
    assert holm([], 0.05) == []
    assert [word for word, _ in outcomes([0.001, 1.0, 0.5], [1.0, 0.001, 0.5], 0.05)] == [
        "pass",
        "fail",
        "inconclusive",
    ]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_is_between_bonferroni_and_nothing(p_values: list[float]) -> None:
    held = [answer for answer, _ in holm(p_values, 0.05)]
    assert all(answer for answer, p in zip(held, p_values, strict=True) if p <= 0.05 / len(p_values))
    assert not any(answer for answer, p in zip(held, p_values, strict=True) if p > 0.05)
