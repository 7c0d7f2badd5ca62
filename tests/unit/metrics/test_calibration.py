"""Calibration: by hand, against loops that say the definition, and on resamples that repeat predictions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.metrics.calibration import (
    bin_of,
    brier_score,
    expected_calibration_error,
    reliability,
    resampled_calibration_error,
    resampled_risk_coverage,
    risk_coverage,
    risk_coverage_area,
)
from penstock.metrics.quality import discard_curve

predictions = st.lists(st.tuples(st.integers(0, 30).map(lambda n: n / 30), st.booleans()), min_size=1, max_size=40)


def arrays(found: list[tuple[float, bool]]):
    return np.array([one for one, _ in found]), np.array([other for _, other in found])


def test_an_error_by_hand() -> None:
    # bin (4/15, 5/15]: two at 0.3, one right, gap 0.2; bin (14/15, 1]: 0.95 and 1.0, both right, gap 0.025
    confidence, correct = np.array([0.3, 0.3, 0.95, 1.0]), np.array([True, False, True, True])
    assert expected_calibration_error(confidence, correct) == pytest.approx((2 * 0.2 + 2 * 0.025) / 4)


def test_one_who_is_always_sure_and_half_the_time_right() -> None:
    correct = np.arange(10) % 2 == 0
    assert expected_calibration_error(np.ones(10), correct) == 0.5
    assert brier_score(np.ones(10), correct) == 0.5
    assert expected_calibration_error(np.full(10, 0.5), correct) == 0
    assert brier_score(np.full(10, 0.5), correct) == 0.25


def test_bounds_belong_to_the_bin_below() -> None:
    bounds = np.arange(16) / 15
    assert bin_of(bounds).tolist() == [0, *range(15)]


@pytest.mark.slow
@given(predictions)
def test_the_error_is_the_definitions(found: list[tuple[float, bool]]) -> None:
    total = 0.0
    for number in range(15):
        low, high = number / 15, (number + 1) / 15
        inside = [(c, r) for c, r in found if low < c <= high or (c == 0 and number == 0)]
        if inside:
            total += abs(sum(r for _, r in inside) - sum(c for c, _ in inside)) / len(found)
    assert expected_calibration_error(*arrays(found)) == pytest.approx(total, abs=1e-12)


@pytest.mark.slow
@given(predictions)
def test_the_area_is_the_mean_of_the_risks_where_nothing_is_tied(found: list[tuple[float, bool]]) -> None:
    loss = np.array([float(not right) for _, right in found])
    confidence = np.linspace(1, 0, len(found))
    risks = [loss[:kept].mean() for kept in range(1, len(found) + 1)]
    assert risk_coverage_area(confidence, loss) == pytest.approx(np.mean(risks))


@pytest.mark.slow
@given(predictions)
def test_the_area_is_that_of_the_discard_curve(found: list[tuple[float, bool]]) -> None:
    confidence, correct = arrays(found)
    assert risk_coverage_area(confidence, 1.0 * ~correct) == pytest.approx(
        discard_curve(confidence, 1.0 * ~correct).area
    )


def test_it_is_lower_for_who_errs_where_it_is_unsure() -> None:
    loss = np.array([0.0, 0, 0, 1])
    assert risk_coverage_area(np.array([0.9, 0.8, 0.7, 0.1]), loss) == pytest.approx(0.25 / 4)
    assert risk_coverage_area(np.array([0.8, 0.7, 0.1, 0.9]), loss) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert risk_coverage_area(np.full(4, 0.5), loss) == 0.25  # it cannot tell


@pytest.mark.slow
@given(predictions, st.data())
def test_a_resample_is_the_predictions_as_often_as_they_were_drawn(found, data) -> None:
    confidence, correct = arrays(found)
    size = len(found)
    counts = np.array([data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)), [1] * size])
    counts[0, 0] += 1
    again, right = np.repeat(confidence, counts[0]), np.repeat(correct, counts[0])
    errors = resampled_calibration_error(confidence, correct, counts)
    areas = resampled_risk_coverage(confidence, 1.0 * ~correct, counts)
    assert errors == pytest.approx(
        [expected_calibration_error(again, right), expected_calibration_error(confidence, correct)]
    )
    assert areas == pytest.approx(
        [risk_coverage_area(again, 1.0 * ~right), risk_coverage_area(confidence, 1.0 * ~correct)]
    )


def test_a_resample_of_nothing_has_no_value() -> None:
    nothing = np.zeros((1, 2), int)
    assert np.isnan(resampled_calibration_error(np.array([0.1, 0.2]), np.array([True, False]), nothing)).all()
    assert np.isnan(resampled_risk_coverage(np.array([0.1, 0.2]), np.array([1.0, 0.0]), nothing)).all()


@pytest.mark.slow
@given(predictions, st.data())
def test_an_owner_is_drawn_with_all_its_predictions(found, data) -> None:
    confidence, correct = arrays(found)
    owners = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(found), max_size=len(found))))
    counts = np.array([data.draw(st.lists(st.integers(1, 3), min_size=4, max_size=4)), [1] * 4])
    together = resampled_calibration_error(confidence, correct, counts, owners=owners)
    assert together == pytest.approx(resampled_calibration_error(confidence, correct, counts[:, owners]))


@pytest.mark.slow
@given(predictions)
def test_the_diagram_has_the_gaps_of_the_error(found: list[tuple[float, bool]]) -> None:
    confidence, correct = arrays(found)
    bins = reliability(confidence, correct)
    assert bins.count.sum() == len(found)
    error = float(np.abs(bins.confidence - bins.correct) @ bins.count / len(found))
    assert error == pytest.approx(expected_calibration_error(confidence, correct))


@pytest.mark.slow
@given(predictions)
def test_the_curve_has_the_area(found: list[tuple[float, bool]]) -> None:
    confidence, loss = arrays(found)
    curve = risk_coverage(confidence, loss)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(loss.mean())
    area = float(curve.risk @ np.diff(curve.coverage, prepend=0.0))
    assert area == pytest.approx(risk_coverage_area(confidence, loss))
    few = curve.thinned(3)
    assert len(few.coverage) <= 3
    assert (few.coverage[0], few.risk[-1]) == (curve.coverage[0], curve.risk[-1])
