"""What is known of a model, as the error of a mean change."""

from __future__ import annotations

import math

import pytest
from tests.unit.gating.sized_suites import noisy, pair, policy, table

from penstock.bundle.models import Measurement
from penstock.gating.known import Known
from penstock.gating.measurements import Table
from penstock.gating.spread import base_of, margin_of, spread_of

RULE = policy({"metric": "lse_d", "margin": "5%"}).rules[0]


def test_a_share_is_of_the_baselines_mean() -> None:
    known = Known(table("lse_d", [7.0, 9.0]))
    assert base_of(RULE, known) == 8.0
    assert margin_of(RULE, 8.0, known) == pytest.approx(0.4)
    assert base_of(RULE, Known()) is None
    assert margin_of(RULE, None, Known()) is None


def test_a_floor_is_that_of_the_released_models_cases() -> None:
    rule = policy({"metric": "sad", "margin": "2 floors"}).rules[0]
    line = Measurement(case="a", metric="sad", value=7.0, floor=0.25)
    assert margin_of(rule, 7.0, Known(Table("side", [line]))) == 0.5
    assert margin_of(rule, 7.0, Known(table("sad", [7.0]))) is None
    assert margin_of(rule, None, Known()) is None


def test_comparisons_are_pooled_and_go_before_the_cases_of_one_side() -> None:
    first, second = pair("lse_d", noisy(24, 0.1)), pair("lse_d", noisy(24, 0.3, seed=2))
    baseline = table("lse_d", noisy(24, 5.0, shift=10.0))
    found = spread_of(RULE, 0.5, 24, Known(baseline, [first, second]), 0.05)
    assert found is not None
    assert (found.basis, found.seen) == ("comparisons", 2)
    # the deviation of bootstrap draws, not of the cases themselves: a few per cent apart
    assert found.of_a_case == pytest.approx(math.sqrt((0.1**2 + 0.3**2) / 2), rel=0.05)
    alone = spread_of(RULE, 0.5, 24, Known(baseline), 0.05)
    assert alone is not None
    assert (alone.basis, alone.of_a_case) == ("cases", pytest.approx(math.sqrt(2) * 5.0, rel=0.05))
    assert spread_of(RULE, 0.5, 24, Known(), 0.05) is None
