"""Metrics of no family: known for every one, and none of them a family's own."""

from __future__ import annotations

from penstock.families import engine_metrics
from penstock.families.engine_metrics import CALL_METRICS, ENGINE_METRICS, LOAD_METRICS, LOAD_QUANTILES
from penstock.families.registry import find_metric, usable_families


def test_each_is_known_whatever_the_family() -> None:
    assert all(find_metric(metric.name) == metric for metric in ENGINE_METRICS)


def test_no_family_has_one_of_its_own_by_these_names() -> None:
    ours = {metric.name for metric in ENGINE_METRICS}
    assert len(ours) == len(ENGINE_METRICS)
    assert not [metric.name for family in usable_families() for metric in family.metrics if metric.name in ours]


def test_values_under_load_are_of_the_whole_suite_and_calls_are_not() -> None:
    assert all(metric.whole_suite for metric in LOAD_METRICS)
    assert not any(metric.whole_suite for metric in CALL_METRICS)
    assert [metric.quantile for metric in LOAD_QUANTILES] == [0.5, 0.95, 0.99]
    assert engine_metrics.SCHEMA_METRIC not in ENGINE_METRICS  # families whose answers are JSON list it
