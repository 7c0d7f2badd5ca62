"""The margin that a suite is said to settle, tried on many simulated releases."""

from __future__ import annotations

import random

import pytest
from tests.unit.gating.sized_suites import noisy, only, pair, policy, suite

from penstock.gating.decision import decide
from penstock.gating.known import Known


@pytest.mark.parametrize(("cases", "promise"), [(8, 0.9), (24, 0.93), (60, 0.93)])  # of few, the error is guessed
def test_the_smallest_margin_is_the_one_at_which_the_verdict_keeps_its_promise(cases: int, promise: float) -> None:
    known = Known(*pair("lse_d", noisy(cases, 1.0))[:1], [pair("lse_d", noisy(cases, 1.0))])
    found = only(policy({"metric": "lse_d", "margin": 100.0}), suite(cases), known)
    assert found.answer == "settled"
    smallest = found.smallest_margin
    assert smallest is not None
    draw = random.Random(7)
    trials = 400

    def share(margin: float, worse: float, wanted: str) -> float:
        samples = ([worse + draw.gauss(0, 1) for _ in range(cases)] for _ in range(trials))
        return sum(decide(sample, margin, "lower", 0.05).verdict == wanted for sample in samples) / trials

    assert share(smallest, 0.0, "pass") >= promise
    assert share(smallest, 2 * smallest, "fail") >= promise
    assert share(smallest / 2, 0.0, "pass") < 0.75, "half of it is too fine"
