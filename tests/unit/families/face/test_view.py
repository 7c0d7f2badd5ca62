"""What the report shows of faces."""

from __future__ import annotations

from penstock.families.face.metrics import METRICS
from penstock.families.face.view import VIEW


def test_columns_of_slices_have_values_by_case() -> None:
    by_case = {metric.name for metric in METRICS if not metric.whole_suite}
    assert set(VIEW.slice_metrics) <= by_case
