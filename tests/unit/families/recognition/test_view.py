"""The view names metrics that there are, and a painter that can be loaded."""

from __future__ import annotations

from penstock.families.recognition.metrics import METRICS
from penstock.families.recognition.view import VIEW
from penstock.foundation.references import load


def test_what_it_names_is_there() -> None:
    sliced = {metric.name for metric in METRICS if metric.by_slice or not metric.whole_suite}
    assert set(VIEW.slice_metrics) <= sliced
    assert VIEW.stills is not None
    assert callable(load(VIEW.stills.painter))
