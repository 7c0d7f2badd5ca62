"""P-values and bounds against SciPy's, and the rules for too few cases and no variance."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.gating.decision import decide, interval
from penstock.gating.evidence import Exact, Flips, MeanWithError, Single, cases_needed, weigh, weigh_resamples

NUMBERS = st.floats(-1e3, 1e3, allow_nan=False, allow_subnormal=False)


@settings(max_examples=40)
@given(st.lists(st.integers(-50, 50), min_size=5, max_size=9, unique=True), st.integers(-60, 60))
def test_sign_flips_are_the_exact_permutation_test(worsenings: list[int], amount: int) -> None:
    """Whole numbers: ties are frequent, and exact."""
    evidence = weigh([float(value) for value in worsenings])
    assert isinstance(evidence, Flips)
    away = np.array(worsenings) - amount
    flipped = np.array(list(itertools.product([1, -1], repeat=len(worsenings)))) @ away
    assert evidence.not_worse_than(amount, 1e-9) == np.mean(flipped <= away.sum())
    assert evidence.worse_than(amount, 1e-9) == np.mean(flipped >= away.sum())


def test_scipys_permutation_test_agrees() -> None:
    from scipy import stats  # not above: each process that collects the tests would take a second to import it

    differences = [0.3137, -0.1215, 0.4519, 0.0834, 0.2241, -0.0572, 0.1763, 0.4098]
    for amount in (0.0, 0.1, 0.3):
        away = [value - amount for value in differences]
        wanted = stats.permutation_test(
            (away,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="less"
        )
        assert weigh(differences).not_worse_than(amount, 0.0) == pytest.approx(wanted.pvalue)
        other = stats.permutation_test(
            (away,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="greater"
        )
        assert weigh(differences).worse_than(amount, 0.0) == pytest.approx(other.pvalue)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.lists(NUMBERS, min_size=2, max_size=24), st.floats(-100, 100), st.sampled_from([0.05, 0.01, 0.2]))
def test_p_values_and_bounds_say_the_same(worsenings: list[float], amount: float, level: float) -> None:
    evidence = weigh(worsenings)
    low, high = evidence.bounds(level)
    scale = 1e-9 * (1 + max(abs(value) for value in worsenings) + abs(amount))
    if abs(high - amount) > scale:
        assert (evidence.not_worse_than(amount, 0.0) <= level) == (high < amount)
    if abs(low - amount) > scale:
        assert (evidence.worse_than(amount, 0.0) <= level) == (low > amount)
    assert low <= high


def test_which_test_is_for_how_many_cases() -> None:
    values = [0.1 * (index % 3) + 0.01 * index for index in range(20)]
    assert {count: weigh(values[:count]).method for count in (2, 4, 5, 19, 20)} == {
        2: "Student's t",
        4: "Student's t",
        5: "sign flips",
        19: "sign flips",
        20: "bootstrap",
    }
    assert weigh([0.3]).method == "one case"
    assert interval([0.3], 0.05) is None
    low, high = interval(values, 0.05) or (0.0, 0.0)
    assert low < sum(values) / 20 < high


def test_without_variance_the_margin_is_held_against_the_difference() -> None:
    assert isinstance(weigh([0.2, 0.2]), Exact)
    for count in (2, 5, 30):
        assert decide([0.2] * count, 0.2, "lower", 0.05, rounding=1e-12).verdict == "pass"
        assert decide([0.2] * count, 0.19, "lower", 0.05).verdict == "fail"
        assert decide([-0.2] * count, 0.2, "higher", 0.05).interval == (-0.2, -0.2)


def test_one_case_that_changed_is_no_evidence() -> None:
    assert isinstance(weigh([1e-3]), Single)
    assert decide([0.0], 0.0, "lower", 0.05).verdict == "pass"
    for change in (-1.0, 0.1, 100.0):
        found = decide([change], 0.5, "lower", 0.05)
        assert (found.verdict, found.interval, found.needed) == ("inconclusive", None, 5)


def test_the_cases_that_would_settle_it() -> None:
    # (2.49 · 1 / 0.25)²
    assert cases_needed(1.0, 0.25, 0.05, 8) == math.ceil((2.4865 / 0.25) ** 2)
    assert cases_needed(1.0, -2.0, 0.05, 8) == 9
    assert cases_needed(1.0, 0.0, 0.05, 8) is None
    assert cases_needed(1.0, 1e-9, 0.05, 8) is None
    found = decide([0.4, -0.3, 0.5, -0.2, 0.3, 0.1, 0.2, -0.1], 0.3, "lower", 0.05)
    assert found.verdict == "inconclusive"
    assert found.needed is not None
    assert found.needed > 8


def test_resamples_of_a_value_of_the_whole_suite() -> None:
    drawn = np.random.default_rng(2).normal(0.01, 0.02, size=1000)
    many, few = weigh_resamples(0.01, list(drawn), 50), weigh_resamples(0.01, list(drawn), 8)
    assert isinstance(many, MeanWithError)
    assert many.bounds(0.05)[1] == pytest.approx(0.01 + 1.645 * drawn.std(), rel=1e-3)
    assert few.bounds(0.05)[1] == pytest.approx(0.01 + 1.8946 * math.sqrt(8 / 7) * drawn.std(), rel=1e-3)
    assert isinstance(weigh_resamples(0.0, [0.0, 0.0], 8), Exact)
    assert isinstance(weigh_resamples(0.1, [0.0, 0.1], 1), Single)
