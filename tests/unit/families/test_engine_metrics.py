"""Metrics of no family: known for every one, and none of them a family's own."""

from __future__ import annotations

from penstock.families import engine_metrics
from penstock.families.engine_metrics import (
    CALL_METRICS,
    ENGINE_METRICS,
    LOAD_METRICS,
    LOAD_QUANTILES,
    at_rate,
    base_metric,
    metric_at_rate,
    rate_of,
)
from penstock.families.registry import find_metric, in_order, is_timed, is_whole_suite, usable_families


def test_each_is_known_whatever_the_family() -> None:
    assert all(find_metric(metric.name) == metric for metric in ENGINE_METRICS)


def test_no_family_has_one_of_its_own_by_these_names() -> None:
    ours = {metric.name for metric in ENGINE_METRICS}
    assert len(ours) == len(ENGINE_METRICS)
    assert not [metric.name for family in usable_families() for metric in family.metrics if metric.name in ours]


def test_a_metric_at_another_rate_is_the_same_metric() -> None:
    name = at_rate("load_p95_ms", 12.5)
    assert name == "load_p95_ms_at_12.5"
    assert (base_metric(name), rate_of(name)) == ("load_p95_ms", 12.5)
    found = find_metric(name)
    assert found is not None
    assert (found.name, found.title, found.quantile) == (name, "P95 under load at 12.5 a second", 0.95)
    assert (is_timed(name), is_whole_suite(name)) == (True, True)
    for other in ("load_p95_ms", "latency_at_5", "load_p95_ms_at_", "load_p95_ms_at_x", "throughput_at_5"):
        assert metric_at_rate(other) is None
        assert (base_metric(other), rate_of(other)) == (other, 0.0)
    assert in_order(["own", "load_errors", "load_p95_ms_at_10", "load_p95_ms_at_2", "load_p95_ms"]) == [
        *("load_p95_ms", "load_p95_ms_at_2", "load_p95_ms_at_10"),
        *("load_errors", "own"),
    ]


def test_values_under_load_are_of_the_whole_suite_and_calls_are_not() -> None:
    assert all(metric.whole_suite for metric in LOAD_METRICS)
    assert not any(metric.whole_suite for metric in CALL_METRICS)
    assert [metric.quantile for metric in LOAD_QUANTILES] == [0.5, 0.95, 0.99]
    assert engine_metrics.SCHEMA_METRIC not in ENGINE_METRICS  # families whose answers are JSON list it
