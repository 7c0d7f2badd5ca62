"""The error rates that docs/calibration.md promises, in short: the long form is tests/bench/bench_error_rates.py."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from tests.bench.error_rates import (
    ENOUGH_SE,
    FEWER_SE,
    NOISES,
    SKEWED,
    SYMMETRIC,
    Cell,
    Limit,
    Rate,
    breaches,
    limits,
    simulate,
)

from penstock.bundle.models import Measurement
from penstock.bundle.verdict_record import Outcome
from penstock.contract.policy import Policy
from penstock.gating.decision import decide, mean
from penstock.gating.gate import gate

BY_CHANCE = 3.5
"""Standard errors by which one of some hundred rates may be beyond its limit."""
REPETITIONS = {8: 300, 12: 150, 20: 400}


@pytest.fixture(scope="module")
def rates() -> list[Rate]:
    """What the gate's own decision does, in all kinds of noise."""
    found: list[Rate] = []
    for noise in NOISES:
        for cases, repetitions in REPETITIONS.items():
            if noise in SYMMETRIC or cases == 20:
                found += simulate(Cell(noise, cases, ENOUGH_SE), decide, repetitions=repetitions)
            if noise in SYMMETRIC and cases == 8:
                for se in FEWER_SE:
                    found += simulate(Cell(noise, cases, se), decide, repetitions=repetitions)
    return found


def pooled(rates: Sequence[Rate], limit: Limit) -> float:
    """The rate over all cells that the limit is of."""
    held = [rate for rate in rates if rate.shift == limit.shift and limit in limits(rate.cell)]
    assert held
    passed = sum(rate.passed for rate in held) / sum(rate.repetitions for rate in held)
    return passed if limit.counted == "passed" else 1 - passed


LIMITS = limits(Cell("normal", 20, ENOUGH_SE))


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: f"{limit.shift:g} margins {limit.counted}")
def test_over_all_noises_together_each_limit_holds(limit: Limit, rates: list[Rate]) -> None:
    assert limit.over(pooled(rates, limit)) <= 0


def test_in_no_noise_a_limit_is_broken_by_more_than_chance(rates: list[Rate]) -> None:
    worst = breaches(rates)[:1]
    assert not worst or worst[0].errors <= BY_CHANCE, worst


def test_every_kind_of_noise_is_there(rates: list[Rate]) -> None:
    assert {rate.cell.noise for rate in rates} == set(SYMMETRIC) | set(SKEWED)
    assert {rate.cell.cases for rate in rates} == set(REPETITIONS)


def point(differences: Sequence[float], margin: float, _direction: Any, _level: float) -> Outcome:
    """What tools do that compare one mean with another."""
    return "pass" if mean(differences) <= margin else "fail"


def timid(differences: Sequence[float], margin: float, direction: Any, level: float) -> Outcome:
    """A bound that is far too wide."""
    verdict: Outcome = decide(differences, margin, direction, level / 50).verdict
    return verdict


@pytest.mark.parametrize(("method", "shift"), [(point, 1.0), (timid, 0.5)])
def test_a_method_that_does_not_hold_the_limits_is_found_out(method: Callable[..., Outcome], shift: float) -> None:
    found = breaches(simulate(Cell("normal", 20, ENOUGH_SE), method, repetitions=200))
    assert shift in {breach.limit.shift for breach in found if breach.errors > BY_CHANCE}


@pytest.mark.parametrize("direction", ["lower", "higher"])
@pytest.mark.parametrize(("shift", "counted", "bound"), [(0.0, "pass", 0.93), (1.0, "pass", 0.12), (2.0, "fail", 0.9)])
def test_the_whole_gate_has_the_same_rates(direction: str, shift: float, counted: str, bound: float) -> None:
    """Measurements in, verdict out: cases of very different size, either direction, a margin of 5 standard errors."""
    rng, n, sd, repetitions = random.Random(11), 20, 0.2, 120
    margin = 5 * sd * (2 / n) ** 0.5
    policy = Policy.model_validate(
        {"rules": [{"metric": "our_score", "direction": direction, "margin": round(margin, 6)}]}
    )
    worse = margin * shift * (1 if direction == "lower" else -1)
    seen = 0
    for _ in range(repetitions):
        level = [rng.uniform(1, 50) for _ in range(n)]
        baseline, candidate = (
            [
                Measurement(case=f"case-{index}", metric="our_score", value=at + rng.gauss(0, sd) + change)
                for index, at in enumerate(level)
            ]
            for change in (0.0, worse)
        )
        verdict = gate(candidate, baseline, policy, candidate_name="candidate", baseline_name="baseline")
        seen += verdict.verdict == counted
    share = seen / repetitions
    assert share <= bound if shift == 1 else share >= bound
