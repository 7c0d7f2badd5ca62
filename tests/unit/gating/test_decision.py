"""The decision of one change at a level."""

from __future__ import annotations

import pytest

from penstock.gating.decision import decide, mean


def test_decide() -> None:
    assert decide([0.3, -0.1], 0.1, "lower", 0.05).verdict == "inconclusive"
    assert decide([0.09, 0.091], 0.1, "lower", 0.05).verdict == "pass"
    assert decide([0.12, 0.121], 0.1, "lower", 0.05).verdict == "fail"
    assert decide([-0.12, -0.121], 0.1, "higher", 0.05).verdict == "fail"
    assert decide([-0.3, 0.05], 0.1, "lower", 0.05).change == pytest.approx(-0.125)
    assert mean([1e16, 1.0, -1e16]) == pytest.approx(1 / 3)
