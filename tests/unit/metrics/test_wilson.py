"""Wilson's interval by the textbook, and by what defines it."""

from __future__ import annotations

import math

import pytest

from penstock.metrics.wilson import Z95, wilson


def test_by_the_textbook() -> None:
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0.0, 5)[0] == 0
    assert wilson(1.0, 5)[1] == 1


@pytest.mark.parametrize(("share", "count"), [(0.1, 7.5), (0.5, 100), (0.99, 12)])
def test_each_bound_is_a_share_that_the_normal_test_just_accepts(share: float, count: float) -> None:
    for bound in wilson(share, count):
        assert abs(share - bound) == pytest.approx(Z95 * math.sqrt(bound * (1 - bound) / count))
