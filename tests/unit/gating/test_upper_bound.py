"""The upper bound of a percentile is an order statistic; of a mean it is Student's t."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.bundle.estimates import StandardError, Tail
from penstock.bundle.models import Measurement
from penstock.contract.policy import Rule
from penstock.gating.measurements import Table
from penstock.gating.rules import conclude, examine
from penstock.gating.upper_bound import upper_bound

HUNDRED = Tail(quantile=0.95, count=100, values=[295.0, 296.0, 297.0, 298.0, 299.0, 350.0])
"""The 95th to the 100th of 100."""


def test_of_100_it_is_the_99th() -> None:
    assert upper_bound(295.0, HUNDRED, None, 0.95) == 299.0
    assert upper_bound(295.0, HUNDRED, None, 0.99) == 350.0


def test_too_few_values_say_how_many_it_needs() -> None:
    few = Tail(quantile=0.95, count=58, values=[1.0, 2.0, 3.0])
    assert upper_bound(1.0, few, None, 0.95) == "an upper bound needs at least 59 values, and there are 58"


def test_of_a_mean() -> None:
    error = StandardError(error=2.0, freedom=8)
    assert upper_bound(10.0, None, error, 0.95) == pytest.approx(10 + 2 * 1.8595, abs=1e-3)
    assert upper_bound(10.0, None, error, 0.5) == 10.0


def test_nothing_to_take_it_from() -> None:
    assert upper_bound(1.0, None, None, 0.95) == "no upper bound of it was measured"
    assert "are not there" in str(upper_bound(1.0, Tail(quantile=0.95, count=100, values=[1.0]), None, 0.95))


def judged(value: float, tail: Tail | None, **rule: Any) -> tuple[str, str]:
    measured = Measurement(case="*", metric="load_p95_ms", value=value, unit="ms", tail=tail)
    table = Table("candidate", [measured])
    whole = Rule.model_validate({"metric": "load_p95_ms"} | rule)
    found = conclude(examine(whole, table, None, lambda *_: 0.0), 0.05, None)
    return found.verdict, found.reason


def test_the_rule_of_row_4() -> None:
    """100 images, 300 ms: as a point estimate, and with confidence."""
    assert judged(295.0, HUNDRED, max=300.0)[0] == "pass"
    assert judged(295.0, HUNDRED, max=300.0, confidence=0.95) == (
        "pass",
        "P95 under load is 295 ms, and with 95 % confidence at most 299 ms, as it must be ≤ 300 ms",
    )
    slower = HUNDRED.model_copy(update={"values": [295.0, 296.0, 297.0, 298.0, 301.0, 350.0]})
    assert judged(295.0, slower, max=300.0)[0] == "pass"
    assert judged(295.0, slower, max=300.0, confidence=0.95) == (
        "inconclusive",
        "P95 under load is 295 ms, and may with 95 % confidence be as much as 301 ms, above the maximum of 300 ms",
    )
    assert judged(301.0, slower, max=300.0, confidence=0.95)[0] == "fail"


def test_a_bound_that_is_not_known_settles_nothing() -> None:
    outcome, reason = judged(295.0, None, max=300.0, confidence=0.95)
    assert outcome == "inconclusive"
    assert reason.endswith("whether it is ≤ 300 ms with 95 % confidence is open: no upper bound of it was measured")
