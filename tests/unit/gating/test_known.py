"""How far a mean change may be off, and whether anything is known of a model."""

from __future__ import annotations

import pytest
from tests.unit.gating.sized_suites import pair, table

from penstock.gating.known import Known, Spread


def test_more_cases_help_against_what_moves_each_alone_and_not_against_what_moves_all() -> None:
    assert Spread("comparisons", 2.0).error(4) == pytest.approx(1.0)
    assert Spread("comparisons", 2.0).error(100) == pytest.approx(0.2)
    together = Spread("noise", 3.0, shared=4.0)
    assert together.error(1) == pytest.approx(5.0)
    assert together.error(1_000_000) == pytest.approx(4.0, abs=1e-5)


def test_one_side_and_what_was_stopped_are_upper_bounds() -> None:
    bounds = {basis: Spread(basis, 1.0).is_bound for basis in ("comparisons", "noise", "stopped", "cases")}
    assert bounds == {"comparisons": False, "noise": False, "stopped": True, "cases": True}


def test_a_baseline_or_a_comparison_is_something() -> None:
    assert not Known().anything
    assert Known(table("lse_d", [1.0])).anything
    assert Known(pairs=[pair("lse_d", [0.1])]).anything
