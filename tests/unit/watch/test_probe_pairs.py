"""Pairs of probes, counted by stretch."""

from __future__ import annotations

import pytest
from tests.unit.watch.made_pairs import T0, made_pairs, pair

from penstock.watch.probe_pairs import count_pairs, slow_from


def test_each_kind() -> None:
    pairs = [
        pair(T0 + 1),
        pair(T0 + 2, canary_fails=True),
        pair(T0 + 3, stable_fails=True),
        pair(T0 + 4, canary_fails=True, stable_fails=True),
        pair(T0 + 61, slower=1.3),
        pair(T0 + 62, slower=1.2, differs="other"),
        pair(T0 + 63, compared=False),
    ]
    counts = count_pairs(pairs, start=T0, end=T0 + 130, stretch_s=60.0, ratio=1.5)
    found = {name: value.tolist() for name, value in vars(counts).items()}
    assert found == {
        "pairs": [3, 3],
        "canary_failed": [1, 0],
        "stable_failed": [1, 0],
        "timed": [1, 3],
        "slow": [0, 1],
        "checked": [2, 2],
        "wrong": [0, 1],
    }


def test_other_times_do_not_count() -> None:
    pairs = [pair(T0 - 1), pair(T0), pair(T0 + 59.9), pair(T0 + 60), pair(T0 + 1e6)]
    counts = count_pairs(pairs, start=T0, end=T0 + 100, stretch_s=60.0, ratio=1.5)
    assert counts.pairs.tolist() == [2], "the stretch that is not over is left out"
    assert count_pairs(made_pairs(9), start=T0, end=T0 - 500, stretch_s=60.0, ratio=1.5).stretches == 0


def test_slow_lies_half_way_to_the_margin() -> None:
    assert slow_from(1.5) ** 2 == pytest.approx(1.5)
