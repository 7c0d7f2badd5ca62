"""The view names metrics that there are, and a painter that can be loaded."""

from __future__ import annotations

from penstock.families.recognition.metrics import METRICS
from penstock.families.recognition.view import VIEW
from penstock.foundation.references import load


def test_what_it_names_is_there() -> None:
    by_case = {metric.name for metric in METRICS if not metric.whole_suite}
    assert set(VIEW.slice_metrics) <= by_case
    assert VIEW.stills is not None
    assert callable(load(VIEW.stills.painter))
