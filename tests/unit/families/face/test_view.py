"""What the report shows of faces."""

from __future__ import annotations

from penstock.families.face.metrics import METRICS
from penstock.families.face.view import VIEW


def test_columns_of_slices_have_values_of_slices() -> None:
    sliced = {metric.name for metric in METRICS if metric.by_slice or not metric.whole_suite}
    assert set(VIEW.slice_metrics) <= sliced
