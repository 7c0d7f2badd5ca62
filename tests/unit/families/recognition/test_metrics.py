"""The family's metrics are known, in one order, and their directions are right."""

from __future__ import annotations

from penstock.families.recognition.metrics import METRICS
from penstock.families.registry import find_metric


def test_directions() -> None:
    assert {metric.name for metric in METRICS if metric.direction == "lower"} == {
        *("cer", "brier", "ece", "aurc", "schema_breaks")
    }
    assert {metric.name for metric in METRICS if metric.whole_suite} == {
        *("map", "map50", "ece", "aurc", "schema_breaks")
    }
    assert all(find_metric(metric.name) == metric for metric in METRICS)
